#include "timeline/state/silence_watch.h"

#include <algorithm>

#include "base/time_bounds.h"

namespace smtpscope {

SilenceWatch::Wait SilenceWatch::lasting(Time now) const {
  Wait wait{.from = began_ ? from_ : now,
            .to = now,
            .party = owed_.party,
            .owed = owed_.what,
            .message_octets = message_octets_};
  // A trace may carry times that go back; nobody waited a negative time.
  if (wait.to < wait.from) wait.to = wait.from;
  // The peers are not to blame for what they could not see or could not get rid of.
  const Duration most = wait.length() / 2;
  if (stalled_ > most) {
    wait.party = Party::kProxy;
    wait.owed = "running: the proxy itself was stopped";
  } else if (blocked_[index(Side::kServer)] > most) {
    wait.party = Party::kServer;
    wait.owed = "reading what was sent to it";
  } else if (blocked_[index(Side::kClient)] > most) {
    wait.party = Party::kClient;
    wait.owed = "reading what was sent to it";
  }
  return wait;
}

SilenceWatch::Wait SilenceWatch::end(Time now) {
  const Wait wait = lasting(now);
  began_ = true;
  Duration& idle = idle_[static_cast<std::size_t>(wait.party)];
  // Times that jump back and forth add up to more than any run lasts.
  idle = std::min(idle + wait.length(), kFurthestTime);
  from_ = wait.to;
  stalled_ = {};
  blocked_ = {};
  return wait;
}

Duration SilenceWatch::within(Time since, Time until) const {
  return std::max(Duration::zero(), until - std::max(since, from_));
}

void SilenceWatch::proxy_stalled(Time since, Time until) {
  stalled_ = std::min(stalled_ + within(since, until), kFurthestTime);
}

void SilenceWatch::blocked(Side to, Time since, Time until) {
  Duration& sum = blocked_[index(to)];
  sum = std::min(sum + within(since, until), kFurthestTime);
}

}  // namespace smtpscope
