#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace smtpscope {

/// Two elements, one of each sequence, that are the same.
struct AlignedPair {
  std::size_t a = 0;
  std::size_t b = 0;
  bool operator==(const AlignedPair&) const = default;
};

/// Pairs equal elements of two sequences in order (a common subsequence), as many as a reader
/// would: what both begin and end with, then what is unique in both (patience), then Myers'
/// shortest edit script, in pieces of a bounded number of edits. So the result may be a little
/// shorter than the longest possible. Of equal elements the earliest is paired. Takes O(n log n)
/// time and O(n) memory, whatever the sequences.
std::vector<AlignedPair> align(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b);

}  // namespace smtpscope
