#pragma once

#include <cstdint>

namespace smtpscope {

/// The hash of a sequence that goes on with `value`. Values of which one bit differs give hashes
/// that have nothing in common: splitmix64's finaliser.
constexpr std::uint64_t chained_hash(std::uint64_t so_far, std::uint64_t value) {
  std::uint64_t x = so_far * 0x9E3779B97F4A7C15u + value + 0x632BE59BD9B4E019u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace smtpscope
