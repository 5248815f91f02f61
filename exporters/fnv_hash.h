#pragma once

#include <cstdint>
#include <string_view>

namespace smtpscope {

/// FNV-1a, 64 bits: what a hash of several parts begins with.
inline constexpr std::uint64_t kFnvBasis = 14695981039346656037ULL;

/// Adds a part, with an end of its own, so that "ab", "c" is not "a", "bc".
constexpr std::uint64_t with_part(std::uint64_t hash, std::string_view part) {
  constexpr std::uint64_t kPrime = 1099511628211ULL;
  for (const char each : part) hash = (hash ^ static_cast<unsigned char>(each)) * kPrime;
  return (hash ^ 0x100) * kPrime;
}

/// Spreads a change of any bit over all of them (the finaliser of MurmurHash3). 0 stays 0.
constexpr std::uint64_t spread(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return hash ^ (hash >> 33);
}

}  // namespace smtpscope
