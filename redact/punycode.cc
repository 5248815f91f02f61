#include "redact/punycode.h"

#include <cstdint>
#include <vector>

#include "base/ascii.h"
#include "base/utf8.h"
#include "redact/word_cipher.h"

namespace smtpscope {
namespace {

// RFC 3492 5.
constexpr std::uint32_t kBase = 36, kTmin = 1, kTmax = 26, kSkew = 38, kDamp = 700;
constexpr std::uint32_t kInitialBias = 72, kInitialN = 128;
constexpr std::string_view kPrefix = "xn--";
/// A label has at most 63 octets (RFC 1035 2.3.4): what is longer is none, and its numbers would
/// overflow.
constexpr std::size_t kLongestLabel = 63;

/// RFC 3492 6.1.
std::uint32_t adapt(std::uint32_t delta, std::uint32_t points, bool first) {
  delta = first ? delta / kDamp : delta / 2;
  delta += delta / points;
  std::uint32_t k = 0;
  while (delta > (kBase - kTmin) * kTmax / 2) {
    delta /= kBase - kTmin;
    k += kBase;
  }
  return k + (kBase - kTmin + 1) * delta / (delta + kSkew);
}

std::uint32_t threshold(std::uint32_t k, std::uint32_t bias) {
  if (k <= bias) return kTmin;
  return k >= bias + kTmax ? kTmax : k - bias;
}

char digit_of(std::uint32_t value) {
  return static_cast<char>(value < 26 ? 'a' + value : '0' + (value - 26));
}

std::optional<std::vector<std::uint32_t>> points_of(std::string_view text) {
  std::vector<std::uint32_t> points;
  for (std::size_t i = 0; i < text.size();) {
    const auto octet = static_cast<std::uint8_t>(text[i]);
    if (octet < 0x80) {
      points.push_back(octet);
      ++i;
      continue;
    }
    const std::size_t size = utf8_character(text, i);
    if (size == 0) return std::nullopt;
    points.push_back(utf8_value(text.substr(i), size));
    i += size;
  }
  return points;
}

}  // namespace

std::optional<std::string> to_a_label(std::string_view label) {
  if (label.size() > 4 * kLongestLabel) return std::nullopt;
  const auto points = points_of(label);
  if (!points) return std::nullopt;
  std::string result(kPrefix);
  for (const std::uint32_t point : *points) {
    if (point < 0x80) result += static_cast<char>(point);
  }
  auto handled = static_cast<std::uint32_t>(result.size() - kPrefix.size());
  if (handled == points->size()) return std::string(label);
  const std::uint32_t basic = handled;
  if (basic > 0) result += '-';

  std::uint32_t n = kInitialN, delta = 0, bias = kInitialBias;
  while (handled < points->size()) {
    std::uint32_t next = 0x110000;
    for (const std::uint32_t point : *points) {
      if (point >= n && point < next) next = point;
    }
    delta += (next - n) * (handled + 1);
    n = next;
    for (const std::uint32_t point : *points) {
      if (point < n) ++delta;
      if (point != n) continue;
      std::uint32_t q = delta;
      for (std::uint32_t k = kBase;; k += kBase) {
        const std::uint32_t t = threshold(k, bias);
        if (q < t) break;
        result += digit_of(t + (q - t) % (kBase - t));
        q = (q - t) / (kBase - t);
      }
      result += digit_of(q);
      bias = adapt(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++n;
  }
  return result;
}

std::optional<std::string> from_a_label(std::string_view label) {
  if (label.size() > kLongestLabel || label.size() <= kPrefix.size() ||
      !equal_ignoring_case(label.substr(0, kPrefix.size()), kPrefix)) {
    return std::nullopt;
  }
  label.remove_prefix(kPrefix.size());
  std::vector<std::uint32_t> points;
  if (const std::size_t hyphen = label.rfind('-'); hyphen != std::string_view::npos) {
    for (const char c : label.substr(0, hyphen)) points.push_back(static_cast<std::uint8_t>(c));
    label.remove_prefix(hyphen + 1);
  }
  std::uint64_t n = kInitialN, i = 0;
  std::uint32_t bias = kInitialBias;
  while (!label.empty()) {
    const std::uint64_t before = i;
    std::uint64_t weight = 1;
    for (std::uint32_t k = kBase;; k += kBase) {
      if (label.empty()) return std::nullopt;
      const char c = label.front();
      label.remove_prefix(1);
      if (!is_alphanumeric(c)) return std::nullopt;
      const auto digit = static_cast<std::uint32_t>(is_digit(c) ? c - '0' + 26 : upper(c) - 'A');
      i += digit * weight;
      const std::uint32_t t = threshold(k, bias);
      if (digit < t) break;
      weight *= kBase - t;
      if (i > 0xffffffff || weight > 0xffffffff) return std::nullopt;
    }
    const auto count = static_cast<std::uint32_t>(points.size() + 1);
    bias = adapt(static_cast<std::uint32_t>(i - before), count, before == 0);
    n += i / count;
    i %= count;
    if (n > 0x10ffff || (n >= 0xd800 && n < 0xe000)) return std::nullopt;
    points.insert(points.begin() + static_cast<std::ptrdiff_t>(i), static_cast<std::uint32_t>(n));
    ++i;
  }
  std::string text;
  for (const std::uint32_t point : points) append_utf8(text, point);
  return text;
}

}  // namespace smtpscope
