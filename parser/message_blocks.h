#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "parser/octet_masks.h"

namespace smtpscope {

/// Counts over mail data in which nothing needs a decision: no end of data in sight, no dot that
/// someone may take for one. The context flags tell what stands before the first octet, and
/// afterwards what stands at the end of the last block added. A plain value.
struct BlockTally {
  // Context.
  bool dotted = true;           // dots at line starts mean something
  bool after_cr = false;        // the octet before is a CR, and the one before that is none
  bool at_line_start = false;   // the octets before are CRLF, or there are none
  bool after_line_end = false;  // someone may take the octets before for the end of a line

  // Running.
  std::uint64_t line_octets = 0;   // of the unfinished line, its stuffed dot not counted
  std::uint64_t longest_line = 0;  // the unfinished line may be in it already

  // Added to, as in MessageFacts.
  std::uint64_t lines = 0;
  std::uint64_t bare_cr = 0;
  std::uint64_t bare_lf = 0;
  std::uint64_t cr_cr_lf = 0;
  std::uint64_t nul = 0;
  std::uint64_t eight_bit = 0;
  std::uint64_t dot_lines = 0;
  std::uint64_t unstuffed_dots = 0;
  std::uint64_t long_lines = 0;

  bool operator==(const BlockTally&) const = default;
};

/// Ways to look at a block. All count alike.
enum class BlockKernel : std::uint8_t { kPortable, kSse2, kAvx2 };

/// This processor, and this build, can use `kernel`.
bool usable(BlockKernel kernel);
/// The fastest usable one.
BlockKernel best_kernel();

/// Adds `octets` to `tally` in blocks of kBlock, the last of which may be shorter; stops before
/// the first block in which something must be decided octet by octet, or that is too short to be
/// worth it. Returns how many octets were added. `kernel` must be usable.
std::size_t tally_blocks(BlockKernel kernel, BlockTally& tally,
                         std::span<const std::uint8_t> octets);

}  // namespace smtpscope
