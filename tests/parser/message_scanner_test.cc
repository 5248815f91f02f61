#include "parser/message_scanner.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"
#include "tests/parser/scanned_text.h"

namespace smtpscope::test {
namespace {

using namespace std::string_view_literals;
using Framing = MessageScanner::Framing;
using State = MessageScanner::State;

std::uint32_t count(const MessageScanner& scanner, EodCandidate kind) {
  return scanner.facts().candidates[static_cast<std::size_t>(kind)];
}

/// Random octets of which most mean something to the scanner.
std::string dense_text(std::mt19937& random, std::size_t octets) {
  static constexpr std::string_view kDense("\r\n.\0x\r\n.\x80", 9);
  std::string text;
  while (text.size() < octets) {
    switch (random() % 8) {
      case 0:
        text += "\r\n";
        break;
      case 1:
        text += "\r\n.";
        break;
      case 2:
        text.append(random() % 90, 'a');
        break;
      default:
        text += kDense[random() % kDense.size()];
    }
  }
  text.resize(octets);
  return text;
}

/// As dense_text, but the end of data hardly ever comes.
std::string endless_text(std::mt19937& random, std::size_t octets) {
  std::string text = dense_text(random, octets);
  for (std::size_t at = 0; (at = text.find(".\r\n", at)) != text.npos;) text[at] = ',';
  return text;
}

TEST_CASE("mail data ends at CRLF.CRLF only") {
  struct Case {
    std::string_view wire;
    std::string_view content;  // what comes before the end
    bool ends;
  };
  const auto wire = GENERATE(values<Case>({
      {".\r\n", "", true},                // the start counts as after CRLF
      {"a\r\n.\r\nMAIL", "a\r\n", true},  // octets behind the end are not taken
      {"\r\n.\r\n", "\r\n", true},
      {"a\r\n..\r\n.\r\n", "a\r\n..\r\n", true},
      {"a\r\r\n.\r\n", "a\r\r\n", true},
      {"a\n.\r\n", "", false},
      {"a\r\n.\n", "", false},
      {"a\n.\n", "", false},
      {"a\r.\r\n", "", false},
      {"a\r\n.\r", "", false},
      {"a\r\n.\r\r\n", "", false},
      {"a\r\n. \r\n", "", false},
      {"a\r\n.\0\r\n"sv, "", false},
      {"a\r\n\0.\r\n"sv, "", false},
  }));
  INFO(visible(wire.wire));
  for (std::size_t piece = 1; piece <= wire.wire.size(); ++piece) {
    const MessageScanner scanner = scanned(wire.wire, Framing::kDotTerminated, piece);
    CHECK(scanner.ended() == wire.ends);
    CHECK(scanner.wire_octets() == (wire.ends ? wire.content.size() + 3 : wire.wire.size()));
  }
}

TEST_CASE("the size of a message is without stuffed dots and terminator") {
  const MessageScanner scanner = scanned("Subject: x\r\n\r\n..a\r\n.b\r\n...\r\n.\r\n");
  CHECK(scanner.facts().octets == "Subject: x\r\n\r\n.a\r\nb\r\n..\r\n"sv.size());
  CHECK(scanner.facts().dot_lines == 3);
  CHECK(scanner.facts().unstuffed_dots == 1);
  CHECK(scanner.facts().lines == 5);
  CHECK(scanner.facts().longest_line == 12);
}

TEST_CASE("an empty message is empty however it comes") {
  for (const std::size_t piece : {1u, 2u, 3u}) {
    CHECK(scanned(".\r\n", Framing::kDotTerminated, piece).facts() == MessageFacts{});
  }
}

TEST_CASE("a dot that the next octets must judge counts as content meanwhile") {
  CHECK(scanned("a\r\n.").facts().dot_lines == 1);
  CHECK(scanned("a\r\n.").facts().octets == 3);
  CHECK(scanned("a\r\n.\r").facts().octets == 4);
  CHECK(scanned("a\r\n.\r").facts().unstuffed_dots == 0);
  CHECK(scanned("a\r\n.\rb").facts().unstuffed_dots == 1);
  CHECK(scanned("a\r\n.\rb").facts().bare_cr == 1);
  CHECK(scanned("a\r\n.\r\n").facts().octets == 3);
  CHECK(scanned("a\r\n.\r\n").facts().dot_lines == 0);
}

TEST_CASE("CR and LF that are not together are counted apart") {
  const MessageFacts facts = scanned("a\rb\nc\r\r\nd\n\re\r\n").facts();
  CHECK(facts.bare_cr == 3);
  CHECK(facts.bare_lf == 2);
  CHECK(facts.lines == 2);
  CHECK(scanned("a\r").facts().bare_cr == 0);
}

TEST_CASE("sequences that a lenient server may take for the end are told apart") {
  struct Case {
    std::string_view wire;
    EodCandidate kind;
    std::uint64_t end;
  };
  const auto given = GENERATE(values<Case>({
      {"a\n.\nb", EodCandidate::kLfDotLf, 4},
      {"a\n.\r\nb", EodCandidate::kLfDotCrLf, 5},
      {"a\r\n.\nb", EodCandidate::kCrLfDotLf, 5},
      {".\nb", EodCandidate::kCrLfDotLf, 2},
      {"a\r.\rb", EodCandidate::kCrDotCr, 4},
      {"a\r.\r\nb", EodCandidate::kCrDotCrLf, 5},
      {"a\r\n.\rb", EodCandidate::kCrLfDotCr, 5},
      {"a\r\n.\r\rb", EodCandidate::kCrLfDotCr, 5},
      {"a\r\n.\r\r\nb", EodCandidate::kCrCrLf, 7},
      {"a\r\r\n.\r\r\r\nb", EodCandidate::kCrCrLf, 9},
      {"a\r\r\n.\nb", EodCandidate::kCrCrLf, 6},
      {"a\r\n\0.\r\nb"sv, EodCandidate::kNul, 7},
      {"a\r\n.\0\r\nb"sv, EodCandidate::kNul, 7},
      {"a\n\0\0.\0\nb"sv, EodCandidate::kNul, 7},
      {"a\n.\rb", EodCandidate::kOther, 4},
      {"a\r.\nb", EodCandidate::kOther, 4},
  }));
  INFO(visible(given.wire));
  for (std::size_t piece = 1; piece <= given.wire.size(); ++piece) {
    const MessageScanner scanner = scanned(given.wire, Framing::kDotTerminated, piece);
    CHECK(count(scanner, given.kind) == 1);
    CHECK(scanner.facts().first_candidate == given.kind);
    CHECK(scanner.facts().first_candidate_end == given.end);
    CHECK(!scanner.ended());
  }
}

TEST_CASE("the line end behind one candidate may stand before the next") {
  const MessageScanner scanner = scanned("a\n.\n.\r\n.\rb");
  CHECK(count(scanner, EodCandidate::kLfDotLf) == 1);
  CHECK(count(scanner, EodCandidate::kLfDotCrLf) == 1);
  CHECK(count(scanner, EodCandidate::kCrLfDotCr) == 1);
  CHECK(scanner.facts().first_candidate_end == 4);
}

TEST_CASE("what is no end for anybody is no candidate") {
  for (const std::string_view wire :
       {"a.\nb"sv, "a\n..\nb"sv, "a\n.b\n"sv, "a\r\n..\r\n"sv, "a\n. \n"sv, "a\r\n.\r\n"sv,
        "\r\n\0x.\r\n"sv, "a\n.\0x\n"sv, "a\r\n.\r"sv}) {
    INFO(visible(wire));
    CHECK(scanned(wire).facts().first_candidate_end == 0);
    CHECK(scanned(wire).facts().candidates == MessageFacts{}.candidates);
  }
}

TEST_CASE("counted content has neither terminator nor dot lines") {
  const std::string_view wire = "a\r\n.\r\n..b\r\n\n.\n\x80\0"sv;
  const MessageScanner scanner = scanned(wire, Framing::kCounted);
  CHECK(!scanner.ended());
  CHECK(scanner.facts().octets == wire.size());
  CHECK(scanner.facts().lines == 3);
  CHECK(scanner.facts().bare_lf == 2);
  CHECK(scanner.facts().longest_line == 5);
  CHECK(scanner.facts().dot_lines == 0);
  CHECK(scanner.facts().first_candidate_end == 0);
  CHECK(scanner.facts().nul == 1);
  CHECK(scanner.facts().eight_bit == 1);
}

TEST_CASE("every short text of the octets that matter is read as a search reads it") {
  static constexpr std::string_view kAlphabet("\r\n.\0x", 5);
  constexpr std::size_t kLongest = 8;
  for (std::size_t length = 0; length <= kLongest; ++length) {
    std::string text(length, kAlphabet[0]);
    std::vector<std::size_t> digits(length, 0);
    while (true) {
      for (const Framing framing : {Framing::kDotTerminated, Framing::kCounted}) {
        check_scanner(scanned(text, framing), expected_of(text, framing), text);
      }
      std::size_t at = 0;
      while (at < length && ++digits[at] == kAlphabet.size()) digits[at++] = 0;
      if (at == length) break;
      for (std::size_t i = 0; i <= at; ++i) text[i] = kAlphabet[digits[i]];
    }
  }
}

TEST_CASE("long texts are read as a search reads them, in every split") {
  std::mt19937 random(20261123);
  for (int round = 0; round < 300; ++round) {
    const std::size_t length = 1 + random() % 600;
    const std::string text =
        round % 2 == 0 ? dense_text(random, length) : endless_text(random, length);
    const Framing framing = round % 5 == 0 ? Framing::kCounted : Framing::kDotTerminated;
    const Expected expected = expected_of(text, framing);
    const MessageScanner octetwise = scanned(text, framing, 1);
    check_scanner(octetwise, expected, text);
    for (std::size_t split = 0; split <= expected.wire_octets; ++split) {
      MessageScanner scanner = scanned(std::string_view(text).substr(0, split), framing);
      if (!scanner.ended()) scanner.scan(octets_of(text).subspan(split));
      if (!(scanner == octetwise)) {
        INFO("split at " << split << " of " << visible(text));
        check_facts(scanner.facts(), octetwise.facts());
        FAIL("a split changes what the scanner knows");
      }
    }
  }
}

TEST_CASE("a feature is found wherever it stands in a block") {
  static constexpr std::array kFeatures = {
      "\r\n.\r\n"sv, "\n.\n"sv,   "\r\n..a"sv,   "\r\n.a"sv,      "\r"sv,    "\n"sv,
      "\r\r\n"sv,    "\r.\ra"sv,  "\r\n\0.\n"sv, "\r\n.\0\r\n"sv, "\0"sv,    "\xff"sv,
      "\n\0\0"sv,    "\r\n.\r"sv, "\r\n."sv,     "\r\n"sv,        "\r\ra"sv, "\n.\0\0"sv};
  for (const std::string_view first : kFeatures) {
    for (const std::string_view second : kFeatures) {
      for (std::size_t at = 0; at < 140; ++at) {
        std::string text(at, 'x');
        text += first;
        text.append(at % 3 == 0 ? 0 : 50 + at % 20, at % 2 == 0 ? '\0' : 'y');
        text += second;
        text.append(200 - at, 'z');
        check_scanner(scanned(text), expected_of(text, Framing::kDotTerminated), text);
        if (!(scanned(text) == scanned(text, Framing::kDotTerminated, 1))) {
          FAIL("blocks and octets differ: " << visible(text));
        }
      }
    }
  }
}

TEST_CASE("NULs between a line end and a dot may be many") {
  for (std::size_t before = 0; before < 70; ++before) {
    for (std::size_t nuls = 1; nuls < 200; ++nuls) {
      const std::string text =
          std::string(before, 'x') + "\n" + std::string(nuls, '\0') + ".\n" + std::string(70, 'x');
      const MessageScanner scanner = scanned(text);
      const std::size_t end = before + nuls + 3;
      if (scanner.facts().first_candidate_end != end || count(scanner, EodCandidate::kNul) != 1) {
        FAIL(before << " octets, LF, " << nuls << " NULs, dot, LF: not taken for a candidate");
      }
    }
  }
}

TEST_CASE("a scanner goes on where a saved one stopped") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const std::string text = dense_text(random, random() % 200);
    const Framing framing = round % 4 == 0 ? Framing::kCounted : Framing::kDotTerminated;
    const MessageScanner scanner = scanned(text, framing);
    const auto restored = MessageScanner::restore(scanner.save());
    INFO(visible(text));
    REQUIRE(restored.has_value());
    REQUIRE(*restored == scanner);
  }
}

TEST_CASE("what no scanner can have saved is not restored") {
  using Change = void (*)(MessageScanner::Saved&);
  const MessageScanner::Saved good = scanned("Subject: a\r\n..x\r\na\n.\nb\r\n").save();
  REQUIRE(MessageScanner::restore(good));
  const auto change = GENERATE(values<Change>({
      [](auto& s) { s.wire_octets += 1; },
      [](auto& s) { s.wire_octets = ~std::uint64_t{0}; },
      [](auto& s) { s.facts.octets += 1; },
      [](auto& s) { s.facts.lines = 1000; },
      [](auto& s) { s.facts.lines = ~std::uint64_t{0}; },
      [](auto& s) { s.facts.longest_line = s.facts.octets + 1; },
      [](auto& s) { s.facts.bare_lf = ~std::uint64_t{0} - 5; },
      [](auto& s) { s.facts.nul = 1000; },
      [](auto& s) { s.facts.unstuffed_dots = 2; },
      [](auto& s) { s.facts.dot_lines += 1; },
      [](auto& s) { s.facts.dot_lines = ~std::uint64_t{0}; },
      [](auto& s) { s.facts.candidates = {}; },
      [](auto& s) { s.facts.first_candidate_end = 0; },
      [](auto& s) { s.facts.first_candidate_end = 1000; },
      [](auto& s) { s.facts.first_candidate = EodCandidate::kNul; },
      [](auto& s) { s.facts.first_candidate = static_cast<EodCandidate>(200); },
      [](auto& s) { s.facts.first_bare_lf_end = 1000; },
      [](auto& s) { s.facts.first_bare_lf_end = s.wire_octets; },
      [](auto& s) { s.facts.first_bare_cr_end = 1; },
      [](auto& s) { s.facts.first_nul_end = 1; },
      [](auto& s) { s.facts.first_cr_cr_lf_end = 1; },
      [](auto& s) { s.facts.first_unstuffed_dot_end = 1; },
      [](auto& s) { s.facts.cr_cr_lf = 1; },
      [](auto& s) { s.facts.long_lines = 1; },
      [](auto& s) { s.facts.first_long_line = 1; },
      [](auto& s) { s.facts.header.eight_bit = 1; },
      [](auto& s) { s.facts.header.scanner_fields = ~std::uint32_t{0}; },
      [](auto& s) { s.facts.header.ended = true; },
      [](auto& s) { s.after_cr_cr = true; },
      [](auto& s) { s.header.stage = HeaderScanner::Stage::kText; },
      [](auto& s) { s.header.stage = static_cast<HeaderScanner::Stage>(50); },
      [](auto& s) { s.header.name_size = 1; },
      [](auto& s) { s.header.name_octets[3] = 'x'; },
      [](auto& s) { s.header.id = 1; },
      [](auto& s) { s.line_octets = 3; },
      [](auto& s) { s.framing = Framing::kCounted; },
      [](auto& s) { s.framing = static_cast<Framing>(7); },
      [](auto& s) { s.state = State::kMiddle; },
      [](auto& s) { s.state = State::kDot; },
      [](auto& s) { s.state = State::kEnded; },
      [](auto& s) { s.state = static_cast<State>(99); },
      [](auto& s) { s.watch.seen = LineEndSeen::kNone; },
      [](auto& s) { s.watch.seen = static_cast<LineEndSeen>(77); },
      [](auto& s) { s.watch.nul_behind = true; },
      [](auto& s) { s.watch.dot_after = LineEndSeen::kCrCr; },
      [](auto& s) { s.watch.dot_after = LineEndSeen::kLf; },
      [](auto& s) { s.watch.nul_beside_dot = true; },
      [](auto& s) { s.watch.cr_end = 5; },
  }));
  MessageScanner::Saved bad = good;
  change(bad);
  CHECK(!MessageScanner::restore(bad));
}

TEST_CASE("of long lines, CRs before LF and names, too, what cannot be is not restored") {
  using Change = void (*)(MessageScanner::Saved&);
  const std::string text = std::string(1001, 'a') + "\r\n\r\r\n" + "b\r\r";
  const MessageScanner::Saved counted = scanned(text, Framing::kCounted).save();
  const MessageScanner::Saved named = scanned("X-Antiv").save();
  REQUIRE(MessageScanner::restore(counted));
  REQUIRE(MessageScanner::restore(named));
  for (const Change change : std::initializer_list<Change>{
           [](auto& s) { s.facts.long_lines = 0; },
           [](auto& s) { s.facts.long_lines = 2; },
           [](auto& s) { s.facts.first_long_line = 0; },
           [](auto& s) { s.facts.first_long_line = 4; },
           [](auto& s) { s.facts.longest_line = 1000; },
           [](auto& s) { s.facts.cr_cr_lf = 3; },
           [](auto& s) { s.facts.first_cr_cr_lf_end = s.wire_octets + 1; },
           [](auto& s) {
             s.facts.header.ended = false;
             s.header = {};
           },
       }) {
    MessageScanner::Saved bad = counted;
    change(bad);
    CHECK(!MessageScanner::restore(bad));
  }
  for (const Change change : std::initializer_list<Change>{
           [](auto& s) { s.after_cr_cr = true; },
           [](auto& s) { s.header.name_size = 0; },
           [](auto& s) { s.header.name_size = 41; },
           [](auto& s) { s.header.name_octets[0] = 'X'; },
           [](auto& s) { s.header.name_octets[0] = ' '; },
           [](auto& s) { s.header.name_octets[7] = 'a'; },
           [](auto& s) { s.header.reads_id = true; },
           [](auto& s) { s.header.stage = HeaderScanner::Stage::kLineStart; },
       }) {
    MessageScanner::Saved bad = named;
    change(bad);
    CHECK(!MessageScanner::restore(bad));
  }
  MessageScanner::Saved nothing = MessageScanner().save();
  nothing.facts.digest = 1;
  CHECK(!MessageScanner::restore(nothing));
}

TEST_CASE("a capture may not tell where the first stood, or what the header section was") {
  MessageScanner::Saved saved = scanned("Subject: a\r\n\r\r\n\0\n"sv).save();
  saved.facts.first_bare_cr_end = saved.facts.first_bare_lf_end = saved.facts.first_nul_end = 0;
  saved.facts.first_cr_cr_lf_end = saved.facts.cr_cr_lf = saved.facts.digest = 0;
  saved.facts.header = {};
  saved.header = HeaderScanner::stopped();
  auto scanner = MessageScanner::restore(saved);
  REQUIRE(scanner);
  scanner->scan(octets_of("x\r\0\n\r\n\r\n"sv));
  CHECK(scanner->facts().bare_cr == 2);
  CHECK(scanner->facts().first_bare_cr_end == 0);
  CHECK(scanner->facts().first_bare_lf_end == 0);
  CHECK(scanner->facts().first_nul_end == 0);
  CHECK(scanner->facts().header == HeaderFacts{});
}

TEST_CASE("a scanner is a small value") {
  STATIC_REQUIRE(std::is_trivially_copyable_v<MessageScanner>);
  STATIC_REQUIRE(sizeof(MessageScanner) <= 320);
}

}  // namespace
}  // namespace smtpscope::test
