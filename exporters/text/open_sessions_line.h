#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "capture/wire_event.h"
#include "exporters/text/text_style.h"
#include "timeline/state/silence_watch.h"

namespace smtpscope {

/// Which sessions are open and what they wait for, in one line for the bottom of a terminal: those
/// that have waited longest first, as many as fit. Not thread-safe.
class OpenSessionsLine {
 public:
  explicit OpenSessionsLine(const TextStyle& style) : style_(style) {}

  void add(SessionId session, const std::optional<SilenceWatch::Wait>& wait);
  /// Of what was added since it was asked last; "" if nothing was.
  std::string take();

 private:
  struct Waiting {
    SessionId session = 0;
    Duration since{};
    std::string words;
  };

  const TextStyle& style_;
  std::vector<Waiting> open_;
};

}  // namespace smtpscope
