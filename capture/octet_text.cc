#include "capture/octet_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace smtpscope {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

/// How an octet is written inside a JSON string (RFC 8259 7).
struct Spelling {
  std::array<char, 6> text{};
  std::uint8_t size = 1;
};

constexpr Spelling spell(std::uint8_t octet) {
  const auto two = [](char c) { return Spelling{{'\\', c}, 2}; };
  switch (octet) {
    case '"':
    case '\\':
      return two(static_cast<char>(octet));
    case '\b':
      return two('b');
    case '\f':
      return two('f');
    case '\n':
      return two('n');
    case '\r':
      return two('r');
    case '\t':
      return two('t');
    default:
      if (octet >= 0x20 && octet < 0x7f) return {{static_cast<char>(octet)}, 1};
      return {{'\\', 'u', '0', '0', kHexDigits[octet >> 4], kHexDigits[octet & 15]}, 6};
  }
}

constexpr std::array<Spelling, 256> kSpellings = [] {
  std::array<Spelling, 256> spellings;
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    spellings[i] = spell(static_cast<std::uint8_t>(i));
  }
  return spellings;
}();

constexpr bool is_long(const Spelling& spelling) { return spelling.size == spelling.text.size(); }

/// Octets that are looked at together.
constexpr std::size_t kBlock = 32;

#ifdef __SSE2__
/// Copies half a block. Gives a bit for each octet that needs an escape.
std::uint32_t copy_half(char* out, const std::uint8_t* in) {
  const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), octets);
  // Signed, so that octets from 0x80 on are less than a space, too.
  const __m128i control = _mm_cmplt_epi8(octets, _mm_set1_epi8(0x20));
  const __m128i del = _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7f));
  const __m128i quote = _mm_cmpeq_epi8(octets, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(octets, _mm_set1_epi8('\\'));
  const __m128i any = _mm_or_si128(_mm_or_si128(control, del), _mm_or_si128(quote, backslash));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(any));
}
#endif

/// Copies a block, and gives how many of its octets, from the first, need no escape.
std::size_t copy_plain(char* out, const std::uint8_t* in) {
#ifdef __SSE2__
  const std::uint32_t escapes = copy_half(out, in) | copy_half(out + kBlock / 2, in + kBlock / 2)
                                                         << (kBlock / 2);
  return static_cast<std::size_t>(std::countr_zero(escapes));
#else
  std::memcpy(out, in, kBlock);
  std::size_t plain = 0;
  while (plain < kBlock && kSpellings[in[plain]].size == 1) ++plain;
  return plain;
#endif
}

/// Writes octets as the inside of a JSON string. nullptr when more than `most_hex` of them need
/// the long spelling \u00XX. Writes at most 3 n + kBlock octets when most_hex is n / 4.
char* write_escaped(char* out, std::span<const std::uint8_t> octets, std::size_t most_hex) {
  const std::uint8_t* in = octets.data();
  const std::uint8_t* const end = in + octets.size();
  const auto left = [&] { return static_cast<std::size_t>(end - in); };
  while (left() > 0) {
    std::size_t plain = 0;
    if (left() >= kBlock) {
      plain = copy_plain(out, in);
    } else {
      std::array<std::uint8_t, kBlock> rest{};  // nothing behind `end` may be read
      std::memcpy(rest.data(), in, left());
      plain = std::min(copy_plain(out, rest.data()), left());
    }
    in += plain;
    out += plain;
    if (plain == kBlock || left() == 0) continue;
    // The end of a line is by far the most frequent reason to be here.
    if (left() >= 2 && in[0] == '\r' && in[1] == '\n') {
      std::copy_n("\\r\\n", 4, out);
      out += 4;
      in += 2;
      continue;
    }
    const Spelling& spelling = kSpellings[*in++];
    if (is_long(spelling) && most_hex-- == 0) return nullptr;
    std::memcpy(out, spelling.text.data(), spelling.text.size());
    out += spelling.size;
  }
  return out;
}

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Two base64 digits for each twelve bits.
constexpr std::array<std::array<char, 2>, 4096> kBase64Pairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = {kBase64Digits[i >> 6], kBase64Digits[i & 63]};
  }
  return pairs;
}();

constexpr std::uint8_t kNoDigit = 0xff;
constexpr std::array<std::uint8_t, 256> kBase64Values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kBase64Digits.size(); ++i) {
    values[static_cast<std::uint8_t>(kBase64Digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

char* write_base64(char* out, std::span<const std::uint8_t> octets) {
  const std::uint8_t* in = octets.data();
  std::size_t left = octets.size();
  for (; left >= 3; left -= 3, in += 3, out += 4) {
    const auto bits = static_cast<std::uint32_t>(in[0] << 16 | in[1] << 8 | in[2]);
    std::memcpy(out, kBase64Pairs[bits >> 12].data(), 2);
    std::memcpy(out + 2, kBase64Pairs[bits & 4095].data(), 2);
  }
  if (left == 0) return out;
  const auto bits = static_cast<std::uint32_t>(in[0] << 16 | (left == 2 ? in[1] << 8 : 0));
  std::memcpy(out, kBase64Pairs[bits >> 12].data(), 2);
  out[2] = left == 2 ? kBase64Digits[bits >> 6 & 63] : '=';
  out[3] = '=';
  return out + 4;
}

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_key(char* out, std::string_view key) {
  *out++ = '"';
  out = put(out, key);
  return put(out, "\":\"");
}

/// The beginning tells what is encrypted or compressed: trying to escape it would be in vain.
bool begins_binary(std::span<const std::uint8_t> octets) {
  constexpr std::size_t kSample = 128;
  if (octets.size() < 2 * kSample) return false;
  const auto sample = octets.first(kSample);
  const auto hex = std::count_if(sample.begin(), sample.end(),
                                 [](std::uint8_t octet) { return is_long(kSpellings[octet]); });
  return hex > static_cast<std::ptrdiff_t>(kSample / 4);
}

}  // namespace

char* write_octets(char* out, std::string_view text_key, std::string_view base64_key,
                   std::span<const std::uint8_t> octets) {
  // Where every fourth octet is spelled \u00XX the string is longer than base64, and unreadable.
  char* end = begins_binary(octets)
                  ? nullptr
                  : write_escaped(put_key(out, text_key), octets, octets.size() / 4);
  if (!end) end = write_base64(put_key(out, base64_key), octets);
  *end++ = '"';
  return end;
}

char* write_text(char* out, std::string_view text) {
  *out++ = '"';
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    if (size == 0) {
      out = put(out, "\\ufffd");
    } else if (size == 1) {
      const Spelling& spelling = kSpellings[static_cast<std::uint8_t>(text[0])];
      out = put(out, {spelling.text.data(), spelling.size});
    } else {
      out = put(out, text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  *out++ = '"';
  return out;
}

bool append_text_octets(std::string_view utf8, std::vector<std::uint8_t>& octets) {
  octets.reserve(octets.size() + utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto first = static_cast<std::uint8_t>(utf8[i]);
    if (first < 0x80) {
      octets.push_back(first);
      continue;
    }
    // U+0080 to U+00FF are the sequences C2 80 to C3 BF (RFC 3629 3).
    if ((first != 0xc2 && first != 0xc3) || i + 1 == utf8.size()) return false;
    const auto second = static_cast<std::uint8_t>(utf8[++i]);
    if (second < 0x80 || second > 0xbf) return false;
    octets.push_back(static_cast<std::uint8_t>((first & 3) << 6 | (second & 0x3f)));
  }
  return true;
}

bool append_base64_octets(std::string_view base64, std::vector<std::uint8_t>& octets) {
  if (base64.size() % 4 != 0) return false;
  if (base64.empty()) return true;
  const std::size_t padding = base64.ends_with("==") ? 2 : base64.ends_with('=') ? 1 : 0;
  base64.remove_suffix(padding);
  octets.reserve(octets.size() + base64.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char digit : base64) {
    const std::uint8_t value = kBase64Values[static_cast<std::uint8_t>(digit)];
    if (value == kNoDigit) return false;
    bits = bits << 6 | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      octets.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  // The bits that padding leaves over are zero, or two texts would stand for the same octets.
  return (bits & ((1U << count) - 1)) == 0;
}

}  // namespace smtpscope
