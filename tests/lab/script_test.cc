#include "lab/replay/script.h"

#include <array>
#include <string>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/timeline/transcript.h"

namespace smtpscope::test {
namespace {

/// What each side of a session said, and when, one line an event.
class Said : public WireSink {
 public:
  void on_wire(const WireEvent& event) override {
    const auto at = std::to_string(ns_of(event.time));
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
      lines.push_back(std::to_string(event.session) + " " + at + " " +
                      std::string(to_string(bytes->from)) + " " +
                      std::string(text_of(bytes->head)));
    } else if (const auto* closed = std::get_if<Closed>(&event.body)) {
      lines.push_back(std::to_string(event.session) + " " + at + " " +
                      std::string(to_string(closed->from)) + " closes " +
                      std::string(to_string(closed->kind)));
    }
  }
  std::vector<std::string> lines;
};

std::string fault_of(std::string_view script) {
  const auto read = read_script(script, "a.txt");
  return read ? "" : read.error().message;
}

}  // namespace

TEST_CASE("a script is read as the transcript of the same text") {
  std::size_t same = 0;
  for (const std::string& path : transcript_files()) {
    Transcript transcript = read_transcript(path);
    REQUIRE(transcript.error.empty());
    Said script;
    const auto read = read_script_events(transcript.source, transcript.name, script);
    INFO(transcript.name);
    // Its times are rounded.
    if (transcript.source.find("\nresolution: ") != std::string::npos ||
        transcript.source.starts_with("resolution: ")) {
      continue;
    }
    if (!read) {
      CHECK_THAT(read.error().message, holds("can be told of a session, but not be played") ||
                                           holds("nothing is said in it"));
      continue;
    }
    transcript.settle_views();
    Said told;
    for (const OwnedEvent& each : transcript.events) told.on_wire(each.event);
    CHECK(script.lines == told.lines);
    ++same;
  }
  CHECK(same > 400);
}

TEST_CASE("what is wrong with a script is told with its line") {
  CHECK(fault_of("S: 220 x\nSay: y\n").starts_with("a.txt:2: got 'Say: y', expected 'C: LINE'"));
  CHECK(fault_of("# nothing\n") == "a.txt: nothing is said in it");
  CHECK(fault_of("S: 220 x\n@ +10\nC: QUIT\n") ==
        "a.txt:2: got '10', expected a time such as 10s, 1.5s, 20ms or 5us");
  CHECK(fault_of("S> raw \"a\\qb\"\n") ==
        "a.txt:1: '\\q' is no escape: \\r \\n \\t \\0 \\\\ \\\" \\xNN are");
  CHECK(fault_of("S> raw 220\n") == "a.txt:1: raw needs a text in double quotes");
  CHECK(fault_of("S> raw \"a\" * x\n") == "a.txt:1: got ' * x' behind the text, expected * NUMBER");
  CHECK(fault_of("tls client ok\n") ==
        "a.txt:1: 'tls client ok' can be told of a session, but not be played");
  CHECK(fault_of("S: 220 x\nclose server gently\n") ==
        "a.txt:2: got 'gently', expected fin or reset");
  CHECK(fault_of("close fin\n") == "a.txt:1: say who closes: client or server");
  CHECK(fault_of("session: none\n") ==
        "a.txt:1: got 'none', expected the number of a session, from 1");
  CHECK(fault_of("S: 220 x\nend\nC: QUIT\n") == "a.txt:3: the session has ended");
  CHECK(fault_of("S: 220 x\nC: STARTTLS\nS: 220 go\nC> raw \"\\x16\\x03\\x01\\0\\x01a\"\n") ==
        "a.txt: session 1 cannot be played: it goes on inside TLS");
}

TEST_CASE("raw text has its escapes, and may be repeated") {
  Said said;
  REQUIRE(read_script_events("S> raw \"\\x41\\t\\0\\\\\\\"\\r\\n\" * 2\n", "a.txt", said));
  using namespace std::string_literals;
  CHECK(said.lines == std::vector{"1 1000000 server A\t\0\\\"\r\nA\t\0\\\"\r\n"s});
}

}  // namespace smtpscope::test
