#pragma once

#include <optional>

#include "base/time.h"
#include "capture/wire_event.h"
#include "timeline/state/silence_watch.h"

namespace smtpscope {

/// Watches a live run while nothing happens, too: told once a second how each open session stands,
/// and when what was traced is to be seen.
/// On the tracer's thread.
class LiveWatcher {
 public:
  virtual ~LiveWatcher() = default;
  /// An open session, and the wait that lasts; nothing if its tracing has failed.
  virtual void on_open(SessionId /*session*/, const std::optional<SilenceWatch::Wait>& /*wait*/) {}
  /// All open sessions have been told.
  virtual void on_tick() {}
  /// What was traced so far is to be seen: some 100 ms after it happened, and once a second.
  virtual void on_flush() {}
};

}  // namespace smtpscope
