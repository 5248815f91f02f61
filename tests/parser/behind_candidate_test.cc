// What followed the first end-of-data candidate of a message that went on behind it.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/conversation.h"
#include "parser/pending_message.h"
#include "tests/catch.h"
#include "tests/parser/dialogue.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

using namespace std::string_view_literals;

/// The views of all mail data in the script, its octets going in by pieces of `piece`.
std::vector<std::string> behind_candidates(const Script& script, std::size_t piece) {
  std::vector<std::string> found;
  Conversation conversation;
  const auto drain = [&] {
    while (const Item* item = conversation.next()) {
      const auto* data = std::get_if<MailData>(&item->body);
      if (data) found.emplace_back(data->behind_candidate);
    }
  };
  for (const Step& step : script) {
    if (step.kind == Step::Kind::kGap) conversation.gap(step.side, step.missing);
    if (step.kind == Step::Kind::kEof) conversation.eof(step.side);
    drain();
    std::span rest(reinterpret_cast<const std::uint8_t*>(step.octets.data()), step.octets.size());
    while (!rest.empty()) {
      const auto part = rest.first(std::min(piece, rest.size()));
      conversation.receive(step.side, part);
      drain();
      rest = rest.subspan(part.size());
    }
  }
  conversation.finish();
  drain();
  return found;
}

/// That of a message with this content, terminator included, in every split.
std::string behind_candidate(std::string_view content) {
  const Script script = {S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C(std::string(content)),
                         S("250 ok\r\n")};
  const std::vector<std::string> whole = behind_candidates(script, content.size());
  REQUIRE(whole.size() == 1);
  const std::size_t step = content.size() < 200 ? 1 : content.size() / 50;
  for (std::size_t piece = 1; piece <= content.size(); piece += step) {
    if (behind_candidates(script, piece) != whole) FAIL("another one in pieces of " << piece);
  }
  return whole.front();
}

}  // namespace

TEST_CASE("what follows the first candidate is shown up to the terminator") {
  CHECK(behind_candidate("a\n.\nMAIL FROM:<x@y>\r\n.\r\n") == "MAIL FROM:<x@y>\r\n");
  CHECK(behind_candidate("a\r\n.\nb\n.\nc\r\n.\r\n") == "b\n.\nc\r\n");
  CHECK(behind_candidate("a\r.\rb\r\n.\r\n") == "b\r\n");
  CHECK(behind_candidate("a\r\n.\r\r\rb\r\n.\r\n") == "\r\rb\r\n");
  CHECK(behind_candidate("a\n\0.\nb\r\n.\r\n"sv) == "b\r\n");
  // Its line end may be the one before the terminator: then nothing follows.
  CHECK(behind_candidate("a\n.\r\n.\r\n").empty());
  CHECK(behind_candidate("a\r\n.\r\n").empty());
}

TEST_CASE("what follows is shown as far as it is kept, or not at all") {
  const std::string fits(kMaxTail - 5, 'x');
  CHECK(behind_candidate("a\n.\n" + fits + "\r\n.\r\n") == fits + "\r\n");
  CHECK(behind_candidate("a\n.\nx" + fits + "\r\n.\r\n").empty());
}

TEST_CASE("where the stream ends in mail data all of the rest has followed") {
  for (std::size_t piece = 1; piece < 20; ++piece) {
    CHECK(behind_candidates({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("a\n.\nbc\r\n."),
                             eof(Side::kClient)},
                            piece) == std::vector<std::string>{"bc\r\n."});
  }
}

TEST_CASE("what the server took for commands is in items of its own") {
  CHECK(behind_candidates({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"),
                           C("a\n.\nAUTH PLAIN c2VjcmV0\r\n"), S("250 ok\r\n")},
                          100) == std::vector<std::string>{""});
}

TEST_CASE("behind a gap nobody knows what is missing") {
  CHECK(behind_candidates({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("a\n.\nb"),
                           gap(Side::kClient, 5), C("c\r\n.\r\n"), S("250 ok\r\n")},
                          100) == std::vector<std::string>{""});
}

TEST_CASE("each message has its own, also where it was held") {
  const std::vector<std::string> each = {"b1\r\n", "", "b2\r\n"};
  CHECK(
      behind_candidates({S("220 a\r\n"), C("DATA\r\na\n.\nb1\r\n.\r\n"), S("354 go\r\n250 ok\r\n"),
                         C("DATA\r\n"), S("354 go\r\n"), C("c\r\n.\r\n"), S("250 ok\r\n"),
                         C("DATA\r\n"), S("354 go\r\n"), C("a\n.\nb2\r\n.\r\n"), S("250 ok\r\n")},
                        100) == each);
}
