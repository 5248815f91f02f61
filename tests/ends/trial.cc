#include "tests/ends/trial.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <utility>

namespace smtpscope::ends {
namespace {

using Act = Step::Act;
using After = Step::After;

/// Of a slow side. Not smaller: below the loopback's segments of 64 KiB the kernel itself stalls.
constexpr int kSlowBuffer = 128 * 1024;
constexpr std::size_t kSlowRead = 6000;

std::string_view name_of(Sight sight) {
  constexpr std::string_view kNames[] = {"nothing", "FIN", "RST", "FIN and RST",
                                         "FIN without close_notify"};
  return kNames[static_cast<std::size_t>(sight)];
}

}  // namespace

void Trial::attach(Side side, int descriptor, int epoll, TlsService* tls) {
  if (plan_.slow && side == other(plan_.side)) {
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &kSlowBuffer, sizeof(kSlowBuffer));
  }
  party(side).attach(descriptor, epoll, number_ * 2 + index(side), tls, side == Side::kServer);
}

bool Trial::reads(Side side) const {
  if (!at_end()) return true;
  if (plan_.ending == Ending::kUnread && side == plan_.side) return false;
  return !plan_.slow || side == plan_.side || reluctance_ == 0 ||
         done_[index(plan_.side)] != Sight::kNothing;
}

Trial::State Trial::on_event(Side side) {
  Party& self = party(side);
  if (self.gone()) return State::kWaiting;
  self.write();
  const bool slow = plan_.slow && at_end() && side == other(plan_.side);
  if (reads(side)) self.read(slow ? kSlowRead : ~std::size_t{0});
  self.look();
  return advance();
}

Trial::State Trial::go_on() {
  may_go_on_ = true;
  return advance();
}

/// The side knows of all that the other has said and done.
bool Trial::settled(Side side) const {
  const Party& self = party(side);
  const Side rest = other(side);
  if (self.attached() && self.gone()) return true;
  if (self.heard().octets() != party(rest).told().octets()) return false;
  return self.seen() == done_[index(rest)];
}

bool Trial::take_step(const Step& step) {
  Party& self = party(step.side);
  if (!self.attached()) return false;
  // A server that leaves before its client is in TLS was never spoken to by it.
  if (at_ == 0 && !(party(Side::kClient).open() && party(Side::kServer).open())) return false;
  if (step.after == After::kAll && !(settled(Side::kClient) && settled(Side::kServer))) {
    return false;
  }
  if (step.after == After::kOctets &&
      self.heard().octets() != party(other(step.side)).told().octets()) {
    return false;
  }
  Sight& done = done_[index(step.side)];
  switch (step.act) {
    case Act::kSay:
      self.say(step.octets);
      return true;
    case Act::kFin:
      self.notify();
      if (!self.write()) return false;
      self.finish();
      done = Sight::kFin;
      return true;
    case Act::kCutOff:
      if (!self.write()) return false;
      self.finish();
      done = Sight::kCut;
      return true;
    case Act::kClose:
      self.notify();
      if (!self.write()) return false;
      self.close();
      done = Sight::kFin;
      return true;
    case Act::kReset:
      if (!self.write() || !self.out()) return false;
      self.reset();
      done = done == Sight::kFin ? Sight::kFinReset : Sight::kReset;
      return true;
    case Act::kCloseUnread:
      if (!self.write() || !self.out() || self.unread() == 0) return false;
      self.close();
      done = Sight::kReset;
      return true;
    case Act::kRest:
      return may_go_on_;
  }
  return false;
}

Trial::State Trial::wrong(std::string complaint) {
  complaint_ = std::move(complaint);
  for (Party& each : parties_) each.close();
  return State::kWrong;
}

Trial::State Trial::advance() {
  if (reluctance_ > 0 && plan_.slow && at_end() && --reluctance_ == 0) {
    party(other(plan_.side)).listen(true);
  }
  while (at_ < plan_.steps.size() && take_step(plan_.steps[at_])) {
    ++at_;
    if (plan_.slow && at_ == plan_.first_of_end + 1) party(other(plan_.side)).listen(false);
  }
  for (const Side side : {Side::kClient, Side::kServer}) {
    const Party& self = party(side);
    if (self.heard().octets() > party(other(side)).told().octets()) {
      return wrong(fmt::format("the {} heard more than was said", to_string(side)));
    }
    // What is seen may lag behind what was done, but not be something else.
    const Sight seen = self.seen(), done = done_[index(other(side))];
    const bool answered = plan_.ending == Ending::kCloseAnswered && side == other(plan_.side);
    const bool lags = seen == Sight::kNothing || seen == done || answered ||
                      (seen == Sight::kFin && done == Sight::kFinReset);
    if (!lags) {
      return wrong(fmt::format("the {} saw {} after {} octets of {}, but {} was done",
                               to_string(side), name_of(seen), self.heard().octets(),
                               party(other(side)).told().octets(), name_of(done)));
    }
  }
  if (at_ < plan_.steps.size()) {
    const Step& next = plan_.steps[at_];
    if (next.act == Act::kRest) {
      return settled(Side::kClient) && settled(Side::kServer) ? State::kResting : State::kWaiting;
    }
    return next.after == Step::After::kNothing || plan_.slow ? State::kImpatient : State::kWaiting;
  }
  return conclude();
}

Trial::State Trial::conclude() {
  for (const Side side : {Side::kClient, Side::kServer}) {
    Party& self = party(side);
    if (!self.attached()) return State::kWaiting;
    if (self.gone()) continue;  // it closed by itself
    self.look();
    if (self.seen() != plan_.seen[index(side)]) {
      return plan_.slow && reluctance_ > 0 ? State::kImpatient : State::kWaiting;
    }
    if (self.heard() != party(other(side)).told()) {
      return wrong(fmt::format("the {} heard {} octets of {}, or others", to_string(side),
                               self.heard().octets(), party(other(side)).told().octets()));
    }
  }
  for (Party& each : parties_) each.close();
  return State::kRight;
}

std::string Trial::standing() const {
  std::string text = fmt::format("step {} of {}", at_, plan_.steps.size());
  for (const Side side : {Side::kClient, Side::kServer}) {
    const Party& self = party(side);
    text += fmt::format("; the {}{} has heard {} octets of {} and seen {}, done is {}",
                        to_string(side), self.gone() ? " (gone)" : "", self.heard().octets(),
                        party(other(side)).told().octets(), name_of(self.seen()),
                        name_of(done_[index(other(side))]));
  }
  return text;
}

}  // namespace smtpscope::ends
