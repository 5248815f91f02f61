#include "tests/diff/two_taps.h"

#include <fmt/format.h>

#include <utility>

#include "tests/diff/recorded.h"

namespace smtpscope::test {

using namespace std::chrono_literals;

void TwoTaps::RelayObserver::add(Duration when, std::string_view line) {
  text_ += fmt::format("@ +{}us\n{}\n", (when - last_) / 1us, line);
  last_ = when;
}

void TwoTaps::RelayObserver::open(Duration when, int session, std::string_view from) {
  if (text_.empty() && session == 1) {
    text_ = fmt::format("client: {}\n", from);
    last_ = began_ = when;
    return;
  }
  // The session itself is what happens then.
  add(when, fmt::format("session: {} from {}", session, from));
}

RunRecord TwoTaps::RelayObserver::record(std::string name, std::string tap, Duration ahead) const {
  RunRecord run = recorded(text_, std::move(name));
  run.info.tap = std::move(tap);
  run.info.started = WallTime{std::chrono::seconds(1'764'000'000)} + began_ + ahead;
  return run;
}

Duration TwoTaps::server_time() const { return now_ + gain_ * (now_ / 1s); }

void TwoTaps::at_server(std::string_view line) { near_server_.add(server_time(), line); }

void TwoTaps::open_client(int session, std::string_view from) {
  near_client_.open(now_, session, from);
}

void TwoTaps::open_server(int session, std::string_view from) {
  near_server_.open(server_time(), session, from);
}

void TwoTaps::end_client() {
  at_client("close client fin");
  at_client("close server fin");
  at_client("end");
}

void TwoTaps::end_server() {
  at_server("close client fin");
  at_server("close server fin");
  at_server("end");
}

void TwoTaps::greet(std::string_view reply) {
  wait(1ms);
  at_server(fmt::format("S: {}", reply));
  wait(1ms);
  at_client(fmt::format("S: {}", reply));
}

void TwoTaps::pass(std::string_view command, std::string_view reply, Duration held) {
  wait(1ms);
  at_client(fmt::format("C: {}", command));
  wait(1ms + held);
  at_server(fmt::format("C: {}", command));
  wait(1ms);
  at_server(fmt::format("S: {}", reply));
  wait(1ms);
  at_client(fmt::format("S: {}", reply));
}

void TwoTaps::rewrite(std::string_view command, std::string_view as, std::string_view reply,
                      std::string_view reply_as) {
  wait(1ms);
  at_client(fmt::format("C: {}", command));
  wait(1ms);
  at_server(fmt::format("C: {}", as));
  wait(1ms);
  at_server(fmt::format("S: {}", reply));
  wait(1ms);
  at_client(fmt::format("S: {}", reply_as));
}

void TwoTaps::inject(std::string_view command, std::string_view reply) {
  wait(1ms);
  at_server(fmt::format("C: {}", command));
  wait(1ms);
  at_server(fmt::format("S: {}", reply));
}

void TwoTaps::drop(std::string_view command, std::string_view reply) {
  wait(1ms);
  at_client(fmt::format("C: {}", command));
  wait(1ms);
  at_client(fmt::format("S: {}", reply));
}

void TwoTaps::message(std::string_view octets, std::string_view as) {
  pass("DATA", "354 go");
  wait(1ms);
  at_client(fmt::format("C> raw \"{}\"", octets));
  wait(1ms);
  at_server(fmt::format("C> raw \"{}\"", as));
  wait(1ms);
  at_server("S: 250 2.0.0 Ok: queued as 4F1B2A0C3D");
  wait(1ms);
  at_client("S: 250 2.0.0 Ok: queued as 4F1B2A0C3D");
}

void TwoTaps::envelope(std::string_view hello, std::string_view from, std::string_view to) {
  pass(fmt::format("EHLO {}", hello), "250 mx.example at your service");
  pass(fmt::format("MAIL FROM:<{}>", from), "250 2.1.0 Ok");
  pass(fmt::format("RCPT TO:<{}>", to), "250 2.1.5 Ok");
}

std::vector<std::string> Compared::changes() const {
  std::vector<std::string> all;
  for (const TapsDialogue& dialogue : taps.dialogues) {
    for (const TapsChange& each : dialogue.changes) {
      const bool named =
          each.exchange == ExchangeKind::kCommand && each.verb != Verb::kUnknown &&
          (each.kind < TapsChangeKind::kKeywordMasked || each.kind == TapsChangeKind::kDelayed);
      all.push_back(fmt::format("{} {}", to_string(each.kind),
                                named ? to_string(each.verb) : std::string_view(each.subject)));
    }
  }
  return all;
}

std::string Compared::verdict() const {
  std::string text;
  for (const VerdictLine& each : taps.verdict) text += each.text + ".\n";
  return text;
}

}  // namespace smtpscope::test
