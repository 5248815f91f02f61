#include "exporters/escape.h"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <iterator>

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

bool is_continuation(std::uint8_t octet) { return (octet & 0xC0) == 0x80; }

}  // namespace

CodePoint first_code_point(std::string_view text) {
  assert(!text.empty());
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = at(0);
  const CodePoint invalid{lead, 1, false};
  if (lead < 0x80) return {lead, 1, true};

  // RFC 3629 4: C0, C1 and F5.. never occur; the second octet's range shuts out overlong forms,
  // surrogates and what lies beyond U+10FFFF.
  std::uint8_t octets = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    octets = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    octets = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    octets = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return invalid;
  }
  if (text.size() < octets || at(1) < low || at(1) > high) return invalid;
  char32_t value = lead & (0xFFU >> (octets + 1));
  for (std::size_t i = 1; i < octets; ++i) {
    if (!is_continuation(at(i))) return invalid;
    value = value << 6 | (at(i) & 0x3FU);
  }
  return {value, octets, true};
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
