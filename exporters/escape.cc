#include "exporters/escape.h"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <iterator>

#include "base/utf8.h"
#include "exporters/code_point_range.h"

namespace smtpscope {
namespace {

// Unicode 15, sorted. Controls; then what has no ink of its own and changes how its neighbours
// look: general category Cf (format) where it is no visible sign, the line and paragraph
// separators, and letters that are blank. Unicode TR 36 3.2 and CVE-2021-42574 tell what for.
constexpr std::array kUnsafe = std::to_array<CodePointRange>({
    {0x00, 0x1F},        // C0
    {0x7F, 0x9F},        // DEL, C1: a terminal takes U+009B for ESC [
    {0xAD, 0xAD},        // soft hyphen
    {0x34F, 0x34F},      // combining grapheme joiner
    {0x61C, 0x61C},      // Arabic letter mark
    {0x115F, 0x1160},    // Hangul fillers
    {0x17B4, 0x17B5},    // Khmer vowels without a sign
    {0x180B, 0x180F},    // Mongolian variation selectors, vowel separator
    {0x200B, 0x200F},    // zero width space, (non-)joiner, left-to-right and right-to-left mark
    {0x2028, 0x202E},    // line and paragraph separator, bidirectional embedding and override
    {0x2060, 0x206F},    // word joiner, invisible operators, bidirectional isolates
    {0x3164, 0x3164},    // Hangul filler
    {0xD800, 0xDFFF},    // surrogates: no characters
    {0xFE00, 0xFE0F},    // variation selectors
    {0xFEFF, 0xFEFF},    // zero width no-break space
    {0xFFA0, 0xFFA0},    // halfwidth Hangul filler
    {0xFFF0, 0xFFFB},    // interlinear annotation
    {0xFFFE, 0xFFFF},    // noncharacters
    {0x1BCA0, 0x1BCA3},  // shorthand format controls
    {0x1D173, 0x1D17A},  // musical format controls
    {0xE0000, 0xE0FFF},  // tags, variation selectors supplement
});

void append_escaped(std::string& out, const CodePoint& point) {
  const auto octet = static_cast<std::uint32_t>(point.value);
  if (point.valid && octet >= 0x80) {
    fmt::format_to(std::back_inserter(out), "\\u{{{:X}}}", octet);
  } else if (octet == '\t') {
    out += "\\t";
  } else if (octet == '\r') {
    out += "\\r";
  } else if (octet == '\n') {
    out += "\\n";
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{:02X}", octet);
  }
}

constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t octet = 0x20; octet < 0x7F; ++octet) {
    plain[octet] = octet != '"' && octet != '\\';
  }
  return plain;
}();

}  // namespace

CodePoint first_code_point(std::string_view text) {
  assert(!text.empty());
  const std::size_t octets = utf8_sequence(text);
  if (octets == 0) return {static_cast<std::uint8_t>(text.front()), 1, false};
  return {utf8_value(text, octets), static_cast<std::uint8_t>(octets), true};
}

std::size_t plain_octets(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && kPlain[static_cast<std::uint8_t>(text[count])]) ++count;
  return count;
}

bool is_unsafe(char32_t value) { return within(kUnsafe, value); }

bool is_utf8(std::string_view text) {
  while (true) {
    text.remove_prefix(plain_octets(text));
    if (text.empty()) return true;
    const CodePoint point = first_code_point(text);
    if (!point.valid) return false;
    text.remove_prefix(point.octets);
  }
}

std::string escape(std::string_view text, Wording wording, Charset charset) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const std::size_t plain = plain_octets(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return out;
    const CodePoint point = first_code_point(text);
    if (!point.valid || is_unsafe(point.value) ||
        (charset == Charset::kAscii && point.value >= 0x80)) {
      append_escaped(out, point);
    } else {
      if (point.value == '\\' && wording == Wording::kWire) out += '\\';
      out += text.substr(0, point.octets);
    }
    text.remove_prefix(point.octets);
  }
}

}  // namespace smtpscope
