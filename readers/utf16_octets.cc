#include "readers/utf16_octets.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"

namespace smtpscope {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;
constexpr std::uint16_t kByteOrderMark = 0xFEFF;

}  // namespace

std::optional<Utf16Order> utf16_order(std::span<const std::uint8_t> octets) {
  if (octets.size() < 2) return std::nullopt;
  if (octets[0] == 0xFF && octets[1] == 0xFE) return Utf16Order::kLittleEndian;
  if (octets[0] == 0xFE && octets[1] == 0xFF) return Utf16Order::kBigEndian;
  return std::nullopt;
}

void Utf16Octets::take(std::uint16_t unit) {
  if (unit == kByteOrderMark) return;
  const bool low = unit >= 0xDC00 && unit < 0xE000;
  const auto first = std::exchange(surrogate_, std::nullopt);
  if (first && low) {
    // RFC 2781 2.2.
    append_utf8(ready_, 0x10000 + ((std::uint32_t{*first} - 0xD800) << 10) + (unit - 0xDC00U));
    return;
  }
  if (first || low) append_utf8(ready_, kReplacement);
  if (low) return;
  if (unit >= 0xD800 && unit < 0xDC00) {
    surrogate_ = unit;
  } else {
    append_utf8(ready_, unit);
  }
}

Result<std::size_t> Utf16Octets::read(std::span<std::uint8_t> room) {
  while (ready_.empty()) {
    std::array<std::uint8_t, 16 * 1024> octets;
    const Result<std::size_t> got = wide_->read(octets);
    if (!got) return got.error();
    if (got.value() == 0) return std::size_t{0};
    for (std::size_t i = 0; i < got.value(); ++i) {
      if (!odd_) {
        odd_ = octets[i];
        continue;
      }
      const auto first = static_cast<unsigned>(*odd_);
      const auto second = static_cast<unsigned>(octets[i]);
      odd_.reset();
      take(static_cast<std::uint16_t>(order_ == Utf16Order::kLittleEndian ? second << 8 | first
                                                                          : first << 8 | second));
    }
  }
  const std::size_t count = std::min(room.size(), ready_.size());
  std::copy_n(ready_.begin(), count, room.begin());
  ready_.erase(0, count);
  return count;
}

}  // namespace smtpscope
