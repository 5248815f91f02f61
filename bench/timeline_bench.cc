// Octets of whole sessions to timelines, through the same Sanitizer and Tracker as live and from a
// file. The sessions are the ordinary ones of a busy relay. "all" asks every rule, "none" asks
// none: the difference is what the rules cost.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "capture/sanitizer.h"
#include "timeline/rule_set.h"
#include "timeline/state/run_history.h"
#include "timeline/tracker.h"

namespace {

using namespace smtpscope;

class Nobody : public TimelineSink {
 public:
  void on_timeline(const TimelineEvent& event) override { benchmark::DoNotOptimize(&event); }
};

RuleSet rules_of(bool all) {
  RuleSet rules;
  if (!all && !rules.switch_off("all").ok()) std::abort();
  return rules;
}

/// One session after the other, each event a millisecond after the one before.
class Sessions {
 public:
  explicit Sessions(bool all) : rules_(rules_of(all)) {}

  void open() {
    ++id_;
    tracker_ = std::make_unique<Tracker>(id_, rules_, history_, sink_);
    screen_ = std::make_unique<Sanitizer>(SanitizerPolicy{}, nullptr, tracker_.get());
    feed(SessionOpened{
        .client = "192.0.2.10:50114", .listener = "127.0.0.1:2525", .upstream = "mx.example:25"});
    feed(UpstreamConnected{.server = "192.0.2.25:25"});
  }
  void say(Side side, std::string_view text) {
    Bytes bytes;
    bytes.from = side;
    bytes.head = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    feed(bytes);
  }
  void greet() {
    say(Side::kServer, "220 mx.example.com ESMTP Postfix\r\n");
    say(Side::kClient, "EHLO client.example.com\r\n");
    say(Side::kServer,
        "250-mx.example.com\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-8BITMIME\r\n"
        "250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250 CHUNKING\r\n");
  }
  /// A message of its own: one that comes again would be a finding.
  void message(std::string_view content) {
    char id[32];
    const int length = std::snprintf(id, sizeof(id), "Message-ID: <%09u@x>\r\n", ++messages_);
    std::string own(id, static_cast<std::size_t>(length));
    own += content;
    // RFC 1870 5: without the ".CRLF" behind it.
    char mail[64];
    const int mail_length = std::snprintf(
        mail, sizeof(mail), "MAIL FROM:<alice@example.com> SIZE=%zu\r\n", own.size() - 3);
    say(Side::kClient, {mail, static_cast<std::size_t>(mail_length)});
    say(Side::kServer, "250 2.1.0 Ok\r\n");
    say(Side::kClient, "RCPT TO:<bob@example.net>\r\n");
    say(Side::kServer, "250 2.1.5 Ok\r\n");
    say(Side::kClient, "DATA\r\n");
    say(Side::kServer, "354 End data with <CR><LF>.<CR><LF>\r\n");
    say(Side::kClient, own);
    say(Side::kServer, "250 2.0.0 Ok: queued as 4F2A\r\n");
  }
  /// A recipient that the server does not know, and no other.
  void refused_message() {
    say(Side::kClient, "MAIL FROM:<alice@example.com>\r\n");
    say(Side::kServer, "250 2.1.0 Ok\r\n");
    say(Side::kClient, "RCPT TO:<nobody@example.net>\r\n");
    say(Side::kServer,
        "550 5.1.1 <nobody@example.net>: Recipient address rejected: User unknown in virtual "
        "mailbox table\r\n");
    say(Side::kClient, "RSET\r\n");
    say(Side::kServer, "250 2.0.0 Ok\r\n");
  }
  void close() {
    say(Side::kClient, "QUIT\r\n");
    say(Side::kServer, "221 2.0.0 Bye\r\n");
    feed(Closed{.from = Side::kServer, .reason = {}});
    feed(Closed{.from = Side::kClient, .reason = {}});
    feed(SessionEnded{});
  }

 private:
  template <typename Body>
  void feed(Body body) {
    now_ += std::chrono::milliseconds(1);
    screen_->feed({.session = id_, .time = now_, .body = body});
  }

  const RuleSet rules_;
  RunHistory history_;
  Nobody sink_;
  Time now_;
  SessionId id_ = 0;
  unsigned messages_ = 0;
  std::unique_ptr<Tracker> tracker_;
  std::unique_ptr<Sanitizer> screen_;
};

std::string content_of(std::size_t octets) {
  std::string content = "Subject: x\r\n\r\n";
  const std::string line = std::string(76, 'x') + "\r\n";
  while (content.size() < octets) content += line;
  return content + ".\r\n";
}

/// One message per session.
void short_sessions(benchmark::State& state, bool all) {
  Sessions sessions(all);
  const std::string content = content_of(4096);
  for (auto _ : state) {
    sessions.open();
    sessions.greet();
    sessions.message(content);
    sessions.close();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(short_sessions, none, false);
BENCHMARK_CAPTURE(short_sessions, all, true);

/// A hundred messages per session.
void kept_sessions(benchmark::State& state, bool all) {
  constexpr int kMessages = 100;
  Sessions sessions(all);
  const std::string content = content_of(4096);
  for (auto _ : state) {
    sessions.open();
    sessions.greet();
    for (int i = 0; i < kMessages; ++i) sessions.message(content);
    sessions.close();
  }
  state.SetItemsProcessed(state.iterations() * kMessages);
}
BENCHMARK_CAPTURE(kept_sessions, none, false);
BENCHMARK_CAPTURE(kept_sessions, all, true);

/// One refused message, and one that is delivered.
void refused_sessions(benchmark::State& state, bool all) {
  Sessions sessions(all);
  const std::string content = content_of(4096);
  for (auto _ : state) {
    sessions.open();
    sessions.greet();
    sessions.refused_message();
    sessions.message(content);
    sessions.close();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(refused_sessions, none, false);
BENCHMARK_CAPTURE(refused_sessions, all, true);

}  // namespace
