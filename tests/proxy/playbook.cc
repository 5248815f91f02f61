#include "tests/proxy/playbook.h"

#include <fmt/format.h>

#include <array>
#include <exception>
#include <memory>
#include <optional>

#include "base/octets.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + "\"";
}

std::int64_t ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

class Playbook::Port : public Outward, public RelayHost {
 public:
  explicit Port(Playbook& play) : play_(play) {}

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override {
    play_.happens(words_of(SendTo{to, text_of(octets)}));
    if (fails[index(to)]) return {0, true};
    const std::size_t taken = takes[index(to)].value_or(octets.size());
    return {octets.size() > taken ? octets.size() - taken : 0, false};
  }
  void finish(Side to, bool truncated) override { play_.happens(words_of(Finish{to, truncated})); }
  void close(Side side, bool reset) override {
    play_.happens(reset ? words_of(Reset{side}) : words_of(Close{side}));
  }
  void pause_reading(Side from) override { play_.happens(words_of(PauseReading{from})); }
  void resume_reading(Side from) override { play_.happens(words_of(ResumeReading{from})); }
  bool is_broken(Side side) override { return broken[index(side)]; }
  bool holds(Side) override { return false; }
  std::string own_name() override { return "[192.0.2.1]"; }
  void set_deadline(Time when) override { play_.happens(words_of(SetDeadline{when - play_.now_})); }
  void ask_fate() override { play_.happens(words_of(AskFate{})); }
  std::optional<TcpFigures> figures_of(Side side) override { return figures[index(side)]; }
  void session_ended() override { play_.happens(words_of(Ended{})); }

  std::array<std::optional<std::size_t>, 2> takes;
  std::array<bool, 2> fails{};
  std::array<bool, 2> broken{};
  std::array<std::optional<TcpFigures>, 2> figures;

 private:
  Playbook& play_;
};

class Playbook::RecordingObserver : public SessionObserver {
 public:
  explicit RecordingObserver(Playbook& play) : play_(play) {}

  void feed(const WireEvent& event) override {
    REQUIRE(event.session == 7);
    REQUIRE(event.time == play_.now_);
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
      std::string marks = bytes->by_proxy ? "by proxy" : "";
      if (bytes->undelivered) marks += "undelivered";
      play_.happens(words_of(Fed{bytes->from, text_of(bytes->head), marks}));
    } else {
      play_.happens(words_of(Recorded{words_of(event)}));
    }
  }
  void ask_fate(FateListener&) override { FAIL("the relay asks through its port"); }

 private:
  Playbook& play_;
};

Playbook::Playbook(LayerStack layers)
    : now_(at_ns(1'000'000'000)),
      port_(std::make_unique<Port>(*this)),
      observer_(std::make_unique<RecordingObserver>(*this)),
      layers_(std::move(layers)),
      relay_(7, layers_.innermost(*port_), *port_, observer_.get()),
      inner_(layers_.join(relay_, *port_)) {
  begin_step("client connects");
  relay_.begin(now_, SessionOpened{"192.0.2.10:50114", "127.0.0.1:25", "mx.example:25"});
  check_next(words_of(Recorded{"opened by 192.0.2.10:50114"}));
}

Playbook::~Playbook() noexcept(false) {
  if (std::uncaught_exceptions() == 0 && next_ < happened_.size()) {
    fail("(nothing more)", happened_[next_]);
  }
}

Playbook& Playbook::after(Duration duration) {
  now_ += duration;
  return *this;
}

Playbook& Playbook::kernel_takes(Side to, std::size_t octets) {
  port_->takes[index(to)] = octets;
  return *this;
}

Playbook& Playbook::kernel_takes_all(Side to) {
  port_->takes[index(to)].reset();
  return *this;
}

Playbook& Playbook::writes_fail(Side to) {
  port_->fails[index(to)] = true;
  return *this;
}

Playbook& Playbook::breaks(Side side) {
  port_->broken[index(side)] = true;
  return *this;
}

Playbook& Playbook::kernel_tells(Side side, const TcpFigures& figures) {
  port_->figures[index(side)] = figures;
  return *this;
}

void Playbook::begin_step(const std::string& event) {
  if (next_ < happened_.size()) fail("(nothing more)", happened_[next_]);
  script_ += fmt::format("  >> {}\n", event);
}

void Playbook::check_next(const std::string& expected) {
  if (next_ == happened_.size()) fail(expected, "(nothing)");
  if (happened_[next_] != expected) fail(expected, happened_[next_]);
  script_ += fmt::format("  << {}\n", expected);
  ++next_;
}

void Playbook::fail(const std::string& expected, const std::string& got) {
  std::string rest;
  for (std::size_t i = next_ + 1; i < happened_.size(); ++i) {
    rest += fmt::format("     then came {}\n", happened_[i]);
  }
  next_ = happened_.size();
  FAIL(fmt::format("the playbook differs:\n{}-    expected  {}\n+    got       {}\n{}", script_,
                   expected, got, rest));
  std::terminate();  // FAIL throws
}

std::span<const std::uint8_t> Playbook::octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string Playbook::words_of(const WireEvent& event) {
  if (const auto* e = std::get_if<SessionOpened>(&event.body)) {
    return fmt::format("opened by {}", e->client);
  }
  if (const auto* e = std::get_if<UpstreamConnected>(&event.body)) {
    return fmt::format("connected to {} in {} ms", e->server, ms(e->took));
  }
  if (const auto* e = std::get_if<UpstreamFailed>(&event.body)) {
    return fmt::format("upstream failed: {}", e->reason);
  }
  if (const auto* e = std::get_if<Blocked>(&event.body)) {
    return fmt::format("blocked {} for {} ms, {} octets", to_string(e->to),
                       ms(event.time - e->since), e->octets);
  }
  if (const auto* e = std::get_if<ProxyStalled>(&event.body)) {
    return fmt::format("proxy stalled for {} ms", ms(event.time - e->since));
  }
  if (const auto* e = std::get_if<Closed>(&event.body)) {
    std::string words = fmt::format("closed {} {}", to_string(e->from), to_string(e->kind));
    if (e->by_proxy) words += " by proxy";
    if (!e->reason.empty()) words += fmt::format(": {}", e->reason);
    return words;
  }
  if (const auto* e = std::get_if<TcpReport>(&event.body)) {
    return fmt::format("tcp {}: {} octets unconfirmed, sent again {} times", to_string(e->with),
                       e->figures.unconfirmed, e->figures.sent_again);
  }
  if (std::holds_alternative<SessionEnded>(event.body)) return "session ended";
  return "?";
}

std::string Playbook::words_of(const SendTo& command) {
  return fmt::format("SendTo {} {}", to_string(command.to), in_quotes(command.octets));
}
std::string Playbook::words_of(const Finish& command) {
  return fmt::format("Finish {}{}", to_string(command.to), command.truncated ? ", truncated" : "");
}
std::string Playbook::words_of(const Close& command) {
  return fmt::format("Close {}", to_string(command.side));
}
std::string Playbook::words_of(const Reset& command) {
  return fmt::format("Reset {}", to_string(command.side));
}
std::string Playbook::words_of(const PauseReading& command) {
  return fmt::format("PauseReading {}", to_string(command.from));
}
std::string Playbook::words_of(const ResumeReading& command) {
  return fmt::format("ResumeReading {}", to_string(command.from));
}
std::string Playbook::words_of(const SetDeadline& command) {
  return fmt::format("SetDeadline {} ms from now", ms(command.from_now));
}
std::string Playbook::words_of(const AskFate&) { return "AskFate"; }
std::string Playbook::words_of(const Ended&) { return "Ended"; }
std::string Playbook::words_of(const Fed& fed) {
  return fmt::format("observer: octets from {} {}{}{}", to_string(fed.from), in_quotes(fed.octets),
                     fed.marks.empty() ? "" : ", ", fed.marks);
}
std::string Playbook::words_of(const Recorded& event) {
  return fmt::format("observer: {}", event.words);
}

std::string Playbook::words_of_event(const FromPeer& event) {
  return fmt::format("FromPeer {} {}", to_string(event.from), in_quotes(text_of(event.octets)));
}
std::string Playbook::words_of_event(const PeerClosed& event) {
  return fmt::format("PeerClosed {} {}", to_string(event.side), to_string(event.kind));
}
std::string Playbook::words_of_event(const UpstreamReady& event) {
  return fmt::format("UpstreamReady {}", event.server);
}
std::string Playbook::words_of_event(const UpstreamUnreachable& event) {
  return fmt::format("UpstreamUnreachable: {}", event.reason);
}
std::string Playbook::words_of_event(const WriteDrained& event) {
  return fmt::format("WriteDrained {}", to_string(event.to));
}
std::string Playbook::words_of_event(const WriteFailed& event) {
  return fmt::format("WriteFailed {}", to_string(event.to));
}
std::string Playbook::words_of_event(const LayerFailed& event) {
  return fmt::format("LayerFailed: {}", event.reason);
}
std::string Playbook::words_of_event(const DeadlinePassed&) { return "DeadlinePassed"; }
std::string Playbook::words_of_event(const FateSettled&) { return "FateSettled"; }
std::string Playbook::words_of_event(const ProxyWasStalled&) { return "ProxyWasStalled"; }
std::string Playbook::words_of_event(const TimePassed&) { return "TimePassed"; }
std::string Playbook::words_of_event(const StopRequested& event) {
  return fmt::format("StopRequested: {}", event.reason);
}

Playbook& Playbook::fin_is_passed_on(Side closer) {
  return on(PeerClosed{closer, CloseKind::kFin, ""})
      .expect(Recorded{closer == kC ? "closed client fin" : "closed server fin"})
      .expect(SetDeadline{std::chrono::minutes(10)})
      .expect(Finish{other(closer)});
}

Playbook& Playbook::expect_both_closed() {
  return expect(Close{kC}).expect(Close{kS}).expect(Recorded{"session ended"}).expect(Ended{});
}

Connected::Connected(LayerStack layers) : Playbook(std::move(layers)) {
  given(UpstreamReady{"192.0.2.25:25", std::chrono::milliseconds(4), 0});
}

}  // namespace smtpscope
