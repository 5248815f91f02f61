#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/relay.h"

namespace smtpscope {

inline constexpr Side kC = Side::kClient;
inline constexpr Side kS = Side::kServer;

// What a playbook may expect of the relay: its commands to the port, and what it tells the
// observer.

struct SendTo {
  Side to;
  std::string_view octets;
};
struct Finish {
  Side to;
  bool truncated = false;
};
struct Close {
  Side side;
};
struct Reset {
  Side side;
};
struct PauseReading {
  Side from;
};
struct ResumeReading {
  Side from;
};
struct SetDeadline {
  Duration from_now;
};
struct AskFate {};
struct Ended {};

/// Octets shown to the observer.
struct Fed {
  Side from;
  std::string_view octets;
  std::string_view marks = "";  // "undelivered", "by proxy"
};
/// Any other event shown to the observer, as Playbook::words_of gives it.
struct Recorded {
  std::string_view words;
};

/// A script of events and of the commands each must cause, in order and none besides:
///
///     play.on(FromPeer{Side::kClient, octets("EHLO a\r\n")})
///         .expect(SendTo{Side::kServer, "EHLO a\r\n"})
///         .expect(Fed{Side::kClient, "EHLO a\r\n"});
///
/// It runs as it is written. At the first difference it fails the test and prints the whole
/// script so far with what was expected and what came. Commands that nobody expected fail at the
/// next on() or at the end.
class Playbook {
 public:
  /// The relay behind `layers`; events come in at the outermost of them, and commands go out there.
  explicit Playbook(LayerStack layers = LayerStack());
  ~Playbook() noexcept(false);
  Playbook(const Playbook&) = delete;
  Playbook& operator=(const Playbook&) = delete;

  /// The clock goes on by `duration`; it stands still otherwise.
  Playbook& after(Duration duration);
  /// Of later octets for `to` the kernel takes only `octets` each time; the rest waits.
  Playbook& kernel_takes(Side to, std::size_t octets);
  Playbook& kernel_takes_all(Side to);
  /// Writes to `to` fail from now on.
  Playbook& writes_fail(Side to);
  /// The kernel knows that the connection to `side` is broken.
  Playbook& breaks(Side side);

  /// What the kernel tells of the connection to `side` from now on.
  Playbook& kernel_tells(Side side, const TcpFigures& figures);

  template <typename Event>
  Playbook& on(const Event& event) {
    begin_step(words_of_event(event));
    // Those that only the relay knows go to it directly.
    if constexpr (requires(Inward & inner) { inner.handle(Time(), event); }) {
      inner_.handle(now_, event);
    } else {
      relay_.handle(now_, event);
    }
    return *this;
  }
  template <typename Expected>
  Playbook& expect(const Expected& expected) {
    check_next(words_of(expected));
    return *this;
  }
  /// An event whose commands are not what this test is about.
  template <typename Event>
  Playbook& given(const Event& event) {
    on(event);
    next_ = happened_.size();
    return *this;
  }

  /// `closer` closes with a FIN, and the other side is sent one.
  Playbook& fin_is_passed_on(Side closer);
  /// Both sides have closed: the end of a session.
  Playbook& expect_both_closed();

  static std::span<const std::uint8_t> octets(std::string_view text);
  /// An event of the observer that is not octets, in words, such as "closed client fin".
  static std::string words_of(const WireEvent& event);

 private:
  class Port;
  class RecordingObserver;

  static std::string words_of(const SendTo& command);
  static std::string words_of(const Finish& command);
  static std::string words_of(const Close& command);
  static std::string words_of(const Reset& command);
  static std::string words_of(const PauseReading& command);
  static std::string words_of(const ResumeReading& command);
  static std::string words_of(const SetDeadline& command);
  static std::string words_of(const AskFate& command);
  static std::string words_of(const Ended& command);
  static std::string words_of(const Fed& octets);
  static std::string words_of(const Recorded& event);
  static std::string words_of_event(const FromPeer& event);
  static std::string words_of_event(const PeerClosed& event);
  static std::string words_of_event(const UpstreamReady& event);
  static std::string words_of_event(const UpstreamUnreachable& event);
  static std::string words_of_event(const WriteDrained& event);
  static std::string words_of_event(const WriteFailed& event);
  static std::string words_of_event(const LayerFailed& event);
  static std::string words_of_event(const DeadlinePassed& event);
  static std::string words_of_event(const FateSettled& event);
  static std::string words_of_event(const ProxyWasStalled& event);
  static std::string words_of_event(const TimePassed& event);
  static std::string words_of_event(const StopRequested& event);

  void begin_step(const std::string& event);
  void check_next(const std::string& expected);
  [[noreturn]] void fail(const std::string& expected, const std::string& got);
  void happens(std::string what) { happened_.push_back(std::move(what)); }

  Time now_;
  std::vector<std::string> happened_;  // commands and observer events, all of them
  std::size_t next_ = 0;               // of happened_, to be expected
  std::string script_;                 // what was played and matched
  std::unique_ptr<Port> port_;
  std::unique_ptr<RecordingObserver> observer_;
  LayerStack layers_;
  Relay relay_;
  Inward& inner_;
};

inline FromPeer from(Side side, std::string_view text) { return {side, Playbook::octets(text)}; }

/// A playbook whose server is connected.
struct Connected : Playbook {
  explicit Connected(LayerStack layers = LayerStack());
};

}  // namespace smtpscope
