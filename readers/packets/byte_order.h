#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace smtpscope {

/// The unsigned number at `offset`, most significant octet first if `order` is big. The octets
/// must be there.
template <std::unsigned_integral T>
T number_at(std::span<const std::uint8_t> octets, std::size_t offset, std::endian order) {
  T value;
  std::memcpy(&value, octets.data() + offset, sizeof value);
  if (order == std::endian::native) return value;
  if constexpr (sizeof value == 2) {
    return __builtin_bswap16(value);
  } else if constexpr (sizeof value == 4) {
    return __builtin_bswap32(value);
  } else {
    static_assert(sizeof value == 8);
    return __builtin_bswap64(value);
  }
}

/// In network order (RFC 791 appendix B).
inline std::uint16_t net16(std::span<const std::uint8_t> octets, std::size_t offset) {
  return number_at<std::uint16_t>(octets, offset, std::endian::big);
}
inline std::uint32_t net32(std::span<const std::uint8_t> octets, std::size_t offset) {
  return number_at<std::uint32_t>(octets, offset, std::endian::big);
}

}  // namespace smtpscope
