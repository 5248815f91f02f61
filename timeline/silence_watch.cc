#include "timeline/silence_watch.h"

#include <algorithm>

namespace smtpscope {

SilenceWatch::Wait SilenceWatch::end(Time now) {
  Wait wait{.from = began_ ? from_ : now,
            .to = now,
            .party = owed_.party,
            .owed = owed_.what,
            .message_octets = message_octets_};
  began_ = true;
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
  idle_[static_cast<std::size_t>(wait.party)] += wait.length();
  from_ = wait.to;
  stalled_ = {};
  blocked_ = {};
  return wait;
}

Duration SilenceWatch::within(Time since, Time until) const {
  return std::max(Duration::zero(), until - std::max(since, from_));
}

void SilenceWatch::proxy_stalled(Time since, Time until) { stalled_ += within(since, until); }

void SilenceWatch::blocked(Side to, Time since, Time until) {
  blocked_[index(to)] += within(since, until);
}

}  // namespace smtpscope
