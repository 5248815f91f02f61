#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "capture/wire_event.h"
#include "timeline/event.h"
#include "timeline/filter/session_filter.h"
#include "timeline/severity.h"

namespace smtpscope {

struct ExporterOptions;

/// Tells an exporter which sessions its user asked for: those with findings of a severity, those
/// that a filter keeps, or both. Most filters are decided when a session ends. Not thread-safe.
class WantedSessions {
 public:
  /// The filter of `options` must outlive this.
  explicit WantedSessions(const ExporterOptions& options);

  /// All sessions are wanted; nothing needs to be held back.
  bool all() const { return !annotated_from_ && filter_ == nullptr; }
  /// `started` is Time zero of the events that follow.
  void begin_run(WallTime started);
  /// True, once for each session: it is known from this event on that it is wanted.
  bool on_timeline(const TimelineEvent& event);
  /// No more events of this run: the sessions that go on, and are wanted as far as they went.
  std::vector<SessionId> end_run();

 private:
  struct Session {
    bool annotated = false;
    bool wanted = false;
    std::optional<FilteredSession> filtered;
  };

  const std::optional<Severity> annotated_from_;
  const SessionFilter* const filter_;
  WallTime started_{};
  std::map<SessionId, Session> open_;
};

}  // namespace smtpscope
