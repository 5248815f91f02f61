#include "diff/runs/run_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "tests/catch.h"
#include "tests/diff/recorded.h"

namespace smtpscope {
namespace {

using test::recorded;

struct Asked {
  ComparisonOptions options;
  Normalizers::Options normalizers;
};

/// Two runs and what was found, as a line for each difference: "kind subject: before -> after".
struct Found {
  explicit Found(std::string_view a, std::string_view b, const Asked& asked = {})
      : before(recorded(a, "before")), after(recorded(b, "after")) {
    Result<Normalizers> normalizers = Normalizers::make(asked.normalizers);
    REQUIRE(normalizers.ok());
    comparison = compare_runs(before, after, normalizers.value(), asked.options);
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const SessionComparison& session : comparison.sessions) {
      for (const Difference& each : session.differences) {
        lines.push_back(fmt::format("{} {}: {} -> {}", to_string(each.kind), each.subject,
                                    each.before, each.after));
      }
    }
    return lines;
  }

  RunRecord before, after;
  RunComparison comparison;
};

using Lines = std::vector<std::string>;

std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

const std::string kRun = R"(
S: 220 mx.example ESMTP
C: EHLO ws1
S> raw "250-mx.example\r\n250-SIZE 1000\r\n250 PIPELINING\r\n"
C: MAIL FROM:<a@example.com> SIZE=300
S: 250 2.1.0 ok
C: RCPT TO:<b@example.net>
S: 250 2.1.5 ok
C: DATA
S: 354 go
C> raw "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nSubject: hello\r\nTo: b@example.net\r\n\r\nline one\r\nline two\r\n.\r\n"
S: 250 2.0.0 Ok: queued as 4F1B2A
C: QUIT
S: 221 bye
close server fin
close client fin
)";

TEST_CASE("equal runs are the same, and what always differs is set aside") {
  CHECK(Found(kRun, kRun).comparison.same());
  const Found found(
      kRun, with(with(kRun, "4F1B2A", "77AA00"), "Tue, 24 Nov 2026 10", "Wed, 25 Nov 2026 11"));
  CHECK(found.lines() == Lines{});
  CHECK(found.comparison.same());
  CHECK(found.comparison.set_aside.counts() ==
        std::map<std::string_view, std::uint64_t>{{"date", 1}, {"queue-id", 1}});
  REQUIRE(found.comparison.sessions.front().set_aside.pairs().size() == 2);
  CHECK(found.comparison.sessions.front().set_aside.pairs()[0].after == "77AA00");
  CHECK(found.comparison.exchanges == 7);
  CHECK(found.comparison.messages == 1);
  CHECK(found.comparison.messages_in_part == 0);
}

TEST_CASE("what is set aside shows when it is switched off") {
  CHECK(Found(kRun, with(kRun, "4F1B2A", "77AA00"), {{}, {{"queue-id"}, {}}}).lines() ==
        Lines{"reply-text mail data: 250 2.0.0 Ok: queued as 4F1B2A -> 250 2.0.0 Ok: queued as "
              "77AA00"});
}

TEST_CASE("a changed parameter") {
  CHECK(Found(kRun, with(kRun, " SIZE=300", " SIZE=301")).lines() ==
        Lines{"command-changed MAIL FROM:<a@example.com> SIZE=300: MAIL FROM:<a@example.com> "
              "SIZE=300 -> MAIL FROM:<a@example.com> SIZE=301"});
}

TEST_CASE("a changed recipient") {
  CHECK(Found(kRun, with(kRun, "RCPT TO:<b@", "RCPT TO:<c@")).lines() ==
        Lines{"command-changed RCPT TO:<b@example.net>: RCPT TO:<b@example.net> -> RCPT "
              "TO:<c@example.net>"});
}

TEST_CASE("commands added, removed and moved") {
  const std::string reset = with(kRun, "C: QUIT", "C: RSET\nS: 250 ok\nC: QUIT");
  CHECK(Found(kRun, reset).lines() == Lines{"command-added RSET:  -> ",
                                            "annotation-new info rset-noop after-message:  -> "
                                            "RSET had nothing to reset: it came after the end of a "
                                            "message"});
  CHECK(Found(reset, kRun).lines().front() == "command-removed RSET:  -> ");
  const std::string early = with(kRun, "C: EHLO", "C: NOOP\nS: 250 ok\nC: EHLO");
  const std::string late = with(kRun, "C: QUIT", "C: NOOP\nS: 250 ok\nC: QUIT");
  const Found moved(early, late);
  REQUIRE(moved.lines().front() == "command-moved NOOP:  -> ");
  CHECK(moved.comparison.counts.of(DifferenceKind::kCommandMoved) == 1);
  CHECK(moved.comparison.counts.of(DifferenceKind::kCommandAdded) == 0);
}

TEST_CASE("replies: another code, enhanced code, or other words") {
  CHECK(Found(kRun, with(kRun, "250 2.1.5 ok", "250 2.1.6 ok")).lines() ==
        Lines{"enhanced-code RCPT TO:<b@example.net>: 250 2.1.5 ok -> 250 2.1.6 ok"});
  CHECK(Found(kRun, with(kRun, "250 2.1.5 ok", "250 2.1.5 fine")).lines() ==
        Lines{"reply-text RCPT TO:<b@example.net>: 250 2.1.5 ok -> 250 2.1.5 fine"});
  const Lines other = Found(kRun, with(kRun, "250 2.1.5 ok", "251 2.1.5 ok")).lines();
  CHECK(other.front() == "reply-code RCPT TO:<b@example.net>: 250 2.1.5 ok -> 251 2.1.5 ok");
}

TEST_CASE("a refusal changes codes, outcome and annotations, and takes the message away") {
  std::string refused = kRun;
  const std::size_t at = refused.find("S: 250 2.1.5 ok");
  refused = refused.substr(0, at) +
            "S: 550 5.1.1 no\nC: QUIT\nS: 221 bye\nclose server fin\n"
            "close client fin\n";
  const Lines lines = Found(kRun, refused).lines();
  CHECK(lines[0] == "reply-code RCPT TO:<b@example.net>: 250 2.1.5 ok -> 550 5.1.1 no");
  CHECK(lines[1] == "command-removed DATA:  -> ");
  CHECK(lines[2] == "command-removed mail data:  -> ");
  CHECK(lines[3] ==
        "outcome transaction 1: <a@example.com> to <b@example.net>: accepted (250) -> "
        "rejected by QUIT");
  CHECK(std::ranges::any_of(lines, [](const std::string& line) {
    return line.starts_with("annotation-new") && line.find("all-rcpt-rejected") != line.npos;
  }));
}

TEST_CASE("capabilities are compared by keyword") {
  CHECK(Found(kRun,
              with(kRun, "250-SIZE 1000\\r\\n250 PIPELINING", "250-SIZE 2000\\r\\n250 CHUNKING"))
            .lines() == Lines{"capability-changed SIZE: SIZE 1000 -> SIZE 2000",
                              "capability-removed PIPELINING: PIPELINING -> ",
                              "capability-added CHUNKING:  -> CHUNKING"});
  // Their order says nothing.
  const Found order(
      kRun, with(kRun, "250-SIZE 1000\\r\\n250 PIPELINING", "250-PIPELINING\\r\\n250 SIZE 1000"));
  CHECK(order.comparison.same());
  CHECK(order.comparison.set_aside.counts().at(kEhloOrder) == 1);
  CHECK(Found(kRun, with(kRun, "250-mx.example", "250-mail.example")).lines() ==
        Lines{"reply-text EHLO ws1: 250-mx.example -> 250-mail.example"});
}

TEST_CASE("waits are compared by difference and ratio") {
  const std::string slow = with(kRun, "S: 250 2.1.5 ok", "@ +700ms\nS: 250 2.1.5 ok");
  CHECK(Found(kRun, slow).lines() ==
        Lines{"timing the reply to RCPT TO:<b@example.net>: 1 ms -> 700 ms"});
  const std::string hesitant = with(kRun, "C: DATA", "@ +600ms\nC: DATA");
  CHECK(Found(kRun, hesitant).lines() ==
        Lines{"timing the client's pause before DATA: 1 ms -> 600 ms"});
  const auto waiting = [](std::string_view time) {
    return with(kRun, "S: 250 2.1.5 ok", fmt::format("@ +{}\nS: 250 2.1.5 ok", time));
  };
  CHECK(Found(waiting("450ms"), waiting("949ms")).lines() == Lines{});  // not so long
  CHECK(Found(kRun, waiting("400ms")).lines() == Lines{});
  CHECK(Found(waiting("4.4s"), waiting("7.4s")).comparison.same());  // not twice as long
  ComparisonOptions fine;
  fine.timing_threshold = std::chrono::milliseconds(100);
  CHECK(Found(kRun, waiting("400ms"), {fine, {}}).lines().size() == 1);
  fine.timing = false;
  CHECK(Found(kRun, waiting("400ms"), {fine, {}}).lines() == Lines{});
}

TEST_CASE("messages are compared field by field and line by line") {
  CHECK(Found(kRun, with(kRun, "Subject: hello", "Subject: hi")).lines() ==
        Lines{"header-changed Subject: Subject: hello -> Subject: hi"});
  CHECK(Found(kRun, with(kRun, "Subject: hello\\r\\n", "")).lines() ==
        Lines{"header-removed Subject: Subject: hello -> "});
  CHECK(Found(kRun, with(kRun, "Subject: hello\\r\\nTo: b@example.net",
                         "To: b@example.net\\r\\nSubject: hello"))
            .lines() == Lines{"header-moved Subject: Subject: hello -> Subject: hello"});
  CHECK(Found(kRun, with(kRun, "To: b", "X-Scanned:\\r\\n yes\\r\\nTo: b")).lines() ==
        Lines{"header-added X-Scanned:  -> X-Scanned: yes"});
  CHECK(Found(kRun, with(kRun, "line two", "line 2\\r\\nline 3")).lines() ==
        Lines{"body body, line 2: 1 removed, 2 added: line two -> line 2"});
}

TEST_CASE("line endings are told once, not line by line") {
  const Lines lines = Found(kRun, with(kRun, "line one\\r\\n", "line one\\n")).lines();
  CHECK(lines.front() == "line-endings line endings of the message: CRLF only -> 1 bare LF");
  for (const std::string& line : lines) CHECK_FALSE(line.starts_with("body"));
}

TEST_CASE("multipart boundaries are set aside, in the header and where they stand") {
  const auto multipart = [](std::string_view boundary, std::string_view text) {
    return with(
        with(kRun, "To: b@example.net",
             fmt::format("Content-Type: multipart/mixed; boundary=\\\"{}\\\"", boundary)),
        "line one\\r\\nline two",
        fmt::format("--{0}\\r\\nContent-ID: <{0}@x>\\r\\n\\r\\n{1}\\r\\n--{0}--", boundary, text));
  };
  const Found same(multipart("=-abc123", "text"), multipart("=-xyz789", "text"));
  CHECK(same.lines() == Lines{});
  CHECK(same.comparison.set_aside.counts().at("boundary") == 3);
  CHECK(same.comparison.set_aside.counts().at("message-id") == 1);
  CHECK(Found(multipart("=-abc123", "text"), multipart("=-xyz789", "other")).lines() ==
        Lines{"body body, line 4: 1 removed, 1 added: text -> other"});
}

TEST_CASE("of messages that were not kept the sizes are compared") {
  std::string head = kRun.substr(0, kRun.find("C> raw"));
  const std::string tail = kRun.substr(kRun.find("S: 250 2.0.0"));
  const auto long_message = [&](int lines) {
    std::string text = head + "C> raw \"Subject: x\\r\\n\\r\\n\"\n";
    for (int i = 0; i < lines; ++i) text += "C> raw \"0123456789abcd\\r\\n\" * 5000\n";
    return text + "C> raw \".\\r\\n\"\n" + tail;
  };
  const Found same(long_message(2), long_message(2));
  CHECK(same.lines() == Lines{});
  CHECK(same.comparison.messages_in_part == 1);
  CHECK(Found(long_message(2), long_message(3)).lines() ==
        Lines{"size size of the message: 160014 octets -> 240014 octets"});
}

TEST_CASE("what one of the captures has not kept of a message is no difference") {
  // The octets behind the cut are missing in the second run, in the header section.
  const std::string cut = with(
      with(kRun, "C> raw \"Date: Tue, 24 Nov 2026 10:00:00 +0000\\r\\nSubject: hello\\r\\nTo: ",
           "C> raw \"Date: Tue, 24 Nov 2026 10:00:00 +0000\\r\\nSubject: hello\\r\\nT\"\ngap "
           "client 3\nC> raw \""),
      "queued", "queued");
  for (const std::string& line : Found(kRun, cut).lines()) {
    INFO(line);
    CHECK_FALSE(line.starts_with("header"));
    CHECK_FALSE(line.starts_with("body"));
  }
}

TEST_CASE("transactions find their counterparts by envelope") {
  const auto transaction = [](std::string_view from, std::string_view to) {
    return fmt::format(
        "C: MAIL FROM:<{}>\nS: 250 ok\nC: RCPT TO:<{}>\nS: 250 ok\nC: DATA\nS: 354 go\n"
        "C> raw \"Subject: x\\r\\n\\r\\nfor {}\\r\\n.\\r\\n\"\nS: 250 ok\n",
        from, to, to);
  };
  const std::string head = "S: 220 mx\nC: EHLO a\nS: 250 mx\n";
  const std::string one = transaction("a@x.example", "one@y.example");
  const std::string two = transaction("a@x.example", "two@y.example");
  const std::string three = transaction("a@x.example", "three@y.example");
  const Found inserted(head + one + three, head + one + two + three);
  CHECK(inserted.comparison.counts.of(DifferenceKind::kTransactionAdded) == 1);
  CHECK(inserted.comparison.counts.of(DifferenceKind::kCommandAdded) == 4);
  CHECK(inserted.comparison.counts.all() == 5);
  CHECK(inserted.lines().back() ==
        "transaction-added transaction 2: <a@x.example> to <two@y.example>:  -> accepted (250)");
}

TEST_CASE("sessions find their counterparts though they come in another order") {
  const auto session = [](int number, std::string_view to) {
    return fmt::format(
        "session: {}\nS: 220 mx\nC: EHLO a\nS: 250 mx\nC: MAIL FROM:<a@x.example>\nS: 250 ok\n"
        "C: RCPT TO:<{}>\nS: 250 ok\nC: RSET\nS: 250 ok\nend\n",
        number, to);
  };
  const std::string probe = "session: 3\nS: 220 mx\nC: NOOP\nS: 250 ok\nC: NOOP\nS: 250 ok\nend\n";
  const Found swapped(session(1, "b@y.example") + session(2, "c@y.example"),
                      session(1, "c@y.example") + session(2, "b@y.example") + probe);
  CHECK(swapped.lines() == Lines{"session-added session 3:  -> 3 exchanges"});
  REQUIRE(swapped.comparison.sessions.size() == 3);
  CHECK(swapped.comparison.sessions[0].before->id == 1);
  CHECK(swapped.comparison.sessions[0].after->id == 2);
}

TEST_CASE("reads are compared when asked for") {
  const std::string split = with(kRun, "C: DATA", "C> raw \"DA\"\nC> raw \"TA\\r\\n\"");
  ComparisonOptions options;
  options.reads = true;
  const Lines lines = Found(kRun, split, {options, {}}).lines();
  REQUIRE(!lines.empty());
  CHECK(lines.front() == "reads DATA: 1 read -> 2 reads");
  for (const std::string& line : Found(kRun, split).lines()) {
    CHECK_FALSE(line.starts_with("reads"));
  }
}

TEST_CASE("how a session ended is compared") {
  const Lines lines =
      Found(kRun, with(kRun, "close server fin\nclose client fin", "close client reset")).lines();
  CHECK(std::ranges::find(lines,
                          "end end of the session: closed after QUIT -> the client closed "
                          "first (reset)") != lines.end());
}

TEST_CASE("who closes first behind QUIT is a matter of microseconds") {
  CHECK(Found(kRun, with(kRun, "close server fin\nclose client fin",
                         "close client fin\nclose server fin"))
            .comparison.same());
}

TEST_CASE("an unreachable server is a difference of its own") {
  const Lines lines = Found(
                          "start: unconnected\nconnect failed: mx:25: connection refused\n"
                          "P: 421 4.4.1 no server\nclose client fin\n",
                          "S: 220 mx\nC: QUIT\nS: 221 bye\nclose client fin\n")
                          .lines();
  CHECK(std::ranges::find(lines,
                          "connection connection to the server: mx:25: connection refused "
                          "-> a server answered") != lines.end());
}

TEST_CASE("what one of two traces cannot know is no difference") {
  const std::string from_log =
      "unknown: octets reads content closes\nresolution: 1s\n" +
      with(kRun,
           kRun.substr(kRun.find("C> raw \"Date"),
                       kRun.find("S: 250 2.0.0") - kRun.find("C> raw \"Date")),
           "C> unseen message\n");
  CHECK(Found(kRun, from_log).lines() == Lines{});
  CHECK(Found(from_log, kRun).lines() == Lines{});
  CHECK(Found(kRun, from_log).comparison.sessions.size() == 1);

  // Between stamps of a second, one second more is nothing; five are more.
  const std::string slow = with(from_log, "S: 250 2.1.5 ok", "@ +1s\nS: 250 2.1.5 ok");
  CHECK(Found(kRun, slow).lines() == Lines{});
  const std::string slower = with(from_log, "S: 250 2.1.5 ok", "@ +5s\nS: 250 2.1.5 ok");
  const Lines late = Found(kRun, slower).lines();
  CHECK(std::ranges::any_of(
      late, [](const std::string& line) { return line.find("about 5 s") != line.npos; }));
  // Nor is any time that the trace does not have.
  const std::string untimed = with(slower, "unknown: octets", "unknown: times octets");
  CHECK(Found(kRun, untimed).lines() == Lines{});
}

}  // namespace
}  // namespace smtpscope
