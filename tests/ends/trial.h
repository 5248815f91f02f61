#pragma once

#include <cstdint>
#include <string>

#include "tests/ends/party.h"
#include "tests/ends/plan.h"

namespace smtpscope::ends {

/// One session through the relay: does what its plan says, and finds out whether each side has seen
/// what the other did. Driven by the events of its two sockets.
class Trial {
 public:
  enum class State : std::uint8_t {
    kWaiting,    // for an event
    kImpatient,  // for something that no event tells: to be asked again soon
    kResting,    // until go_on()
    kRight,
    kWrong,  // complaint() says what
  };

  Trial(std::uint64_t number, Plan plan) : number_(number), plan_(std::move(plan)) {}

  /// Takes the socket of a side; with `tls`, both sides speak it.
  void attach(Side side, int descriptor, int epoll, TlsService* tls);
  bool attached(Side side) const { return party(side).attached(); }
  /// Something happened on the side's socket.
  State on_event(Side side);
  State go_on();
  State advance();

  std::uint64_t number() const { return number_; }
  const Plan& plan() const { return plan_; }
  const Party& party(Side side) const { return parties_[index(side)]; }
  const std::string& complaint() const { return complaint_; }
  /// Where it has got to, for a trial that gets no further.
  std::string standing() const;

 private:
  Party& party(Side side) { return parties_[index(side)]; }
  /// The first step of the end was taken.
  bool at_end() const { return at_ > plan_.first_of_end; }
  bool reads(Side side) const;
  bool settled(Side side) const;
  bool take_step(const Step& step);
  State wrong(std::string complaint);
  State conclude();

  const std::uint64_t number_;
  Plan plan_;
  Party parties_[2];
  Sight done_[2] = {};   // what a side has done to its connection, as the other side must see it
  std::size_t at_ = 0;   // step to be taken next
  int reluctance_ = 20;  // of a slow side: how often it is asked before it begins to read
  bool may_go_on_ = false;
  std::string complaint_;
};

}  // namespace smtpscope::ends
