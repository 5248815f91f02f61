#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "capture/wire_event.h"
#include "timeline/state/silence_watch.h"

namespace smtpscope {

/// Tells of a silence while it lasts, for somebody who watches: once at each of a few lengths. The
/// timeline tells of it when it has ended. Not thread-safe.
class SilenceAlarm {
 public:
  /// More sessions than this are not named at a time; the rest is counted.
  static constexpr std::size_t kNamed = 5;

  /// What was told of one session's silence.
  struct Told {
    Time since;
    std::uint8_t steps = 0;
  };

  /// `steps` in rising order; none: nothing is ever told.
  explicit SilenceAlarm(std::vector<Duration> steps) : steps_(std::move(steps)) {}

  bool is_set() const { return !steps_.empty(); }
  /// How the session stands now. Notes what is to be said of it.
  void look(SessionId session, const SilenceWatch::Wait& wait, Told& told);
  /// What there is to say since it was asked last, a sentence each.
  std::vector<std::string> take();

 private:
  const std::vector<Duration> steps_;
  std::vector<std::string> sayings_;
  std::size_t unnamed_ = 0;
};

}  // namespace smtpscope
