// Stacks of layers between a script and a relay: what each layer does to octets, ends and
// back-pressure, and in which order the relay and the sockets hear of it.

#include "proxy/layer.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/proxy/playbook.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

class Untouched : public Layer {};

/// Holds the client's octets back until their line is whole; not read from beyond `most` of them.
class WholeLines : public Layer {
 public:
  explicit WholeLines(std::size_t most) : most_(most) {}

  using Layer::handle;
  void handle(Time now, const FromPeer& event) override {
    if (event.from == kS) return inner().handle(now, event);
    held_ += text_of(event.octets);
    const std::size_t whole = held_.rfind('\n') + 1;  // npos + 1 is 0
    const std::string lines = held_.substr(0, whole);
    held_.erase(0, whole);
    if (!lines.empty()) inner().handle(now, FromPeer{kC, octets_of(lines)});
    rest(held_.size() > most_);
  }
  void handle(Time now, const PeerClosed& event) override {
    if (event.side == kC && !held_.empty()) {
      const std::string rest = std::exchange(held_, {});
      inner().handle(now, FromPeer{kC, octets_of(rest)});
    }
    inner().handle(now, event);
  }
  void pause_reading(Side from) override {
    if (from == kS) return outer().pause_reading(from);
    paused_by_inner_ = true;
    if (!resting_) outer().pause_reading(from);
  }
  void resume_reading(Side from) override {
    if (from == kS) return outer().resume_reading(from);
    paused_by_inner_ = false;
    if (!resting_) outer().resume_reading(from);
  }

 private:
  /// Its own reason to let the client wait, beside that of whoever is behind it.
  void rest(bool on) {
    if (std::exchange(resting_, on) == on || paused_by_inner_) return;
    if (on) {
      outer().pause_reading(kC);
    } else {
      outer().resume_reading(kC);
    }
  }

  const std::size_t most_;
  std::string held_;
  bool resting_ = false;
  bool paused_by_inner_ = false;
};

/// Gives the server capitals for what the client says, and the client capitals for what it gets.
class Capitals : public Layer {
 public:
  using Layer::handle;
  void handle(Time now, const FromPeer& event) override {
    if (event.from == kS) return inner().handle(now, event);
    const std::string capitals = raised(event.octets);
    FromPeer changed = event;
    changed.instead = octets_of(capitals);
    inner().handle(now, changed);
  }
  Sent send_to(Side to, std::span<const std::uint8_t> octets) override {
    return outer().send_to(to, to == kC ? octets_of(out_ = raised(octets)) : octets);
  }

 private:
  static std::string raised(std::span<const std::uint8_t> octets) {
    std::string text(text_of(octets));
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
  }
  std::string out_;
};

/// Says who the client is before anything else, as a prelude does; gives up when the server's first
/// octet is a minus.
class Preface : public Layer {
 public:
  using Layer::handle;
  void handle(Time now, const UpstreamReady& event) override {
    outer().send_to(kS, octets_of("PROXY UNKNOWN\r\n"));
    inner().handle(now, event);
  }
  void handle(Time now, const FromPeer& event) override {
    if (event.from == kS && event.octets[0] == '-') {
      return inner().handle(now, LayerFailed{"the server wants no preface", "421 no\r\n"});
    }
    inner().handle(now, event);
  }
};

template <typename... Layers>
LayerStack stack(Layers... layers) {
  std::vector<std::unique_ptr<Layer>> made;
  (made.push_back(std::make_unique<Layers>(std::move(layers))), ...);
  return LayerStack(std::move(made));
}

}  // namespace

TEST_CASE("layers that do nothing change nothing", "[layers]") {
  Connected play(stack(Untouched(), Untouched(), Untouched()));
  play.on(from(kS, "220 mx\r\n")).expect(SendTo{kC, "220 mx\r\n"}).expect(Fed{kS, "220 mx\r\n"});
  play.kernel_takes(kS, 3)
      .on(from(kC, "0123456789"))
      .expect(SendTo{kS, "0123456789"})
      .expect(PauseReading{kC})
      .expect(Fed{kC, "0123456789"});
  play.kernel_takes_all(kS)
      .after(1s)
      .on(WriteDrained{kS})
      .expect(Recorded{"blocked server for 1000 ms, 7 octets"})
      .expect(ResumeReading{kC});
  play.on(PeerClosed{kS, CloseKind::kReset, ""})
      .expect(Recorded{"closed server reset"})
      .expect(Close{kS})
      .expect(SetDeadline{10min})
      .expect(Reset{kC})
      .expect(Recorded{"session ended"})
      .expect(Ended{});
}

TEST_CASE("a layer holds octets back, and their end behind them", "[layers]") {
  Connected play(stack(WholeLines(1000), Capitals()));
  play.on(from(kC, "ehlo a\r\nmai")).expect(SendTo{kS, "EHLO A\r\n"}).expect(Fed{kC, "ehlo a\r\n"});
  play.on(from(kC, "l fr"));  // nothing yet
  play.on(from(kS, "250 ok\r\n")).expect(SendTo{kC, "250 OK\r\n"}).expect(Fed{kS, "250 ok\r\n"});
  SECTION("the line comes to its end") {
    play.on(from(kC, "om\r\n"))
        .expect(SendTo{kS, "MAIL FROM\r\n"})
        .expect(Fed{kC, "mail from\r\n"});
  }
  SECTION("the client does") {
    play.on(PeerClosed{kC, CloseKind::kFin, ""})
        .expect(SendTo{kS, "MAIL FR"})
        .expect(Fed{kC, "mail fr"})
        .expect(Recorded{"closed client fin"})
        .expect(SetDeadline{10min})
        .expect(Finish{kS});
  }
}

TEST_CASE("the order of layers is the order in which octets meet them", "[layers]") {
  // With the capitals outside, the lines that the relay hears of are held as the client wrote them,
  // and it is the layer behind that decides what is given on.
  Connected play(stack(Capitals(), WholeLines(1000)));
  play.on(from(kC, "eh"));
  play.on(from(kC, "lo\r\n")).expect(SendTo{kS, "ehlo\r\n"}).expect(Fed{kC, "ehlo\r\n"});
}

TEST_CASE("two reasons to let a peer wait are one pause", "[layers]") {
  Connected play(stack(WholeLines(4), Capitals()));
  play.kernel_takes(kS, 2);
  play.on(from(kC, "noop\r\n"))
      .expect(SendTo{kS, "NOOP\r\n"})
      .expect(PauseReading{kC})
      .expect(Fed{kC, "noop\r\n"});
  // What was on its way when the client was paused: too much for the layer, too.
  play.on(from(kC, "quit a"));
  SECTION("the relay's reason ends first") {
    play.kernel_takes_all(kS).on(WriteDrained{kS});
    play.on(from(kC, "b\r\n"))
        .expect(SendTo{kS, "QUIT AB\r\n"})
        .expect(Fed{kC, "quit ab\r\n"})
        .expect(ResumeReading{kC});
  }
  SECTION("the layer's ends first") {
    play.on(from(kC, "b\r\n")).expect(SendTo{kS, "QUIT AB\r\n"}).expect(Fed{kC, "quit ab\r\n"});
    play.kernel_takes_all(kS).on(WriteDrained{kS}).expect(ResumeReading{kC});
  }
  SECTION("a write that fails ends the relay's") {
    play.on(WriteFailed{kS});
    play.on(from(kC, "b\r\n"))
        .expect(Fed{kC, "quit ab\r\n", "undelivered"})
        .expect(ResumeReading{kC});
  }
}

TEST_CASE("a layer speaks to the server before the relay knows of it", "[layers]") {
  Playbook play(stack(Preface(), Untouched()));
  play.on(UpstreamReady{"192.0.2.25:25", 4ms, 0})
      .expect(SendTo{kS, "PROXY UNKNOWN\r\n"})
      .expect(Recorded{"connected to 192.0.2.25:25 in 4 ms"});
  SECTION("and is heard no more") {
    play.on(from(kS, "220 mx\r\n")).expect(SendTo{kC, "220 mx\r\n"}).expect(Fed{kS, "220 mx\r\n"});
  }
  SECTION("or ends the session, which the client is told through all layers") {
    play.on(from(kS, "-"))
        .expect(SendTo{kC, "421 no\r\n"})
        .expect(Fed{kS, "421 no\r\n", "by proxy"})
        .expect(Recorded{"closed server fin by proxy: the server wants no preface"})
        .expect(SetDeadline{10s})
        .expect(Finish{kC})
        .expect(Finish{kS});
  }
}

TEST_CASE("what only the relay knows passes by the layers", "[layers]") {
  Connected play(stack(WholeLines(10), Capitals()));
  play.given(from(kC, "half a li"));
  play.on(StopRequested{"stopped"})
      .expect(Recorded{"closed client fin by proxy: stopped"})
      .expect(Recorded{"closed server fin by proxy: stopped"})
      .expect_both_closed();
}

}  // namespace smtpscope
