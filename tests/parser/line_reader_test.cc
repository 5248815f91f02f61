#include "parser/line_reader.h"

#include "tests/catch.h"

using namespace smtpscope;

namespace {

std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Copied {
  std::string text;
  std::uint64_t text_octets, whole;
  int flags;
  LineEnding ending;
  bool operator==(const Copied&) const = default;
};

/// All lines of `text` read in pieces; what is left at the end is cut.
std::vector<Copied> read_all(std::string_view text, std::size_t piece) {
  LineReader reader;
  std::vector<Copied> lines;
  const auto take = [&](const Line& line) {
    lines.push_back(
        {std::string(line.text), line.text_octets, line.octets, line.flags, line.ending});
  };
  while (!text.empty()) {
    std::string_view part = text.substr(0, piece);
    text.remove_prefix(part.size());
    while (!part.empty()) {
      std::size_t taken = 0;
      if (const auto line = reader.read(octets(part), taken)) take(*line);
      part.remove_prefix(taken);
    }
    reader.recycle();
  }
  if (!reader.empty()) take(reader.cut());
  return lines;
}

}  // namespace

TEST_CASE("lines, their endings and odd octets, at every piece size") {
  using namespace std::string_view_literals;
  const std::string_view text =
      "a\r\nb\nc\r\r\nd\r\r\r\n\r\n\n\re\r\nf\rg\r\r\n\0\r\n\x80\r\n\x7f\x01\t\r\nan ordinary line\r\nend\r"sv;
  const std::vector<Copied> expected = {
      {"a", 1, 3, 0, LineEnding::kCrLf},
      {"b", 1, 2, 0, LineEnding::kLf},
      {"c", 1, 4, 0, LineEnding::kCrCrLf},
      {"d", 1, 5, 0, LineEnding::kCrCrLf},
      {"", 0, 2, 0, LineEnding::kCrLf},
      {"", 0, 1, 0, LineEnding::kLf},
      {"\re", 2, 4, kHasBareCr, LineEnding::kCrLf},
      {"f\rg", 3, 6, kHasBareCr, LineEnding::kCrCrLf},
      {std::string(1, '\0'), 1, 3, kHasNul, LineEnding::kCrLf},
      {"\x80", 1, 3, kHasEightBit, LineEnding::kCrLf},
      {"\x7f\x01\t", 3, 5, kHasControl, LineEnding::kCrLf},
      {"an ordinary line", 16, 18, 0, LineEnding::kCrLf},
      {"end\r", 4, 4, kHasBareCr, LineEnding::kNone},
  };
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    CHECK(read_all(text, piece) == expected);
  }
}

TEST_CASE("odd octets are found at every place of a word") {
  for (std::size_t at = 0; at < 24; ++at) {
    std::string text(24, 'x');
    CHECK(odd_octets(text) == 0);
    for (const auto& [octet, flag] :
         {std::pair{'\0', kHasNul}, std::pair{'\r', kHasBareCr}, std::pair{'\x1f', kHasControl},
          std::pair{'\x7f', kHasControl}, std::pair{'\x80', kHasEightBit},
          std::pair{'\xff', kHasEightBit}}) {
      text[at] = octet;
      CHECK(odd_octets(text) == flag);
    }
    text[at] = '\t';
    CHECK(odd_octets(text) == 0);
  }
}

TEST_CASE("a line longer than what is kept is counted whole, at every border") {
  for (const std::size_t size : {kKeptLine - 1, kKeptLine, kKeptLine + 1, 3 * kKeptLine}) {
    const std::string text(size, 'x');
    for (const std::size_t piece : {std::size_t{1000}, kKeptLine, kKeptLine + 1, 10 * kKeptLine}) {
      CAPTURE(size, piece);
      const int flags = size > kKeptLine ? kCutForDisplay : 0;
      CHECK(read_all(text + "\r\n", piece) ==
            std::vector<Copied>{
                {text.substr(0, kKeptLine), size, size + 2, flags, LineEnding::kCrLf}});
    }
  }
}

TEST_CASE("odd octets behind what is kept count") {
  std::string text(2 * kKeptLine, 'x');
  text.back() = '\0';
  for (const std::size_t piece : {std::size_t{999}, 10 * kKeptLine}) {
    CHECK(read_all(text + "\r\n", piece)[0].flags == (kCutForDisplay | kHasNul));
  }
}
