#pragma once

#include <cstddef>
#include <cstdint>

#include "parser/octet_masks.h"

namespace smtpscope {

/// Counts over whole blocks of mail data in which nothing needs a decision: no end of data in
/// sight, no dot that someone may take for one. The context flags tell what stands before the
/// first block, and afterwards what stands at the end of the last one taken. A passing value.
struct BlockTally {
  // Context.
  bool dotted = true;           // dots at line starts mean something
  bool after_cr = false;        // the octet before is a CR
  bool at_line_start = false;   // the octets before are CRLF, or there are none
  bool after_line_end = false;  // someone may take the octets before for the end of a line

  // Running, as in MessageFacts.
  std::uint64_t line_octets = 0;
  std::uint64_t longest_line = 0;

  // Added.
  std::uint64_t lines = 0;
  std::uint64_t bare_cr = 0;
  std::uint64_t bare_lf = 0;
  std::uint64_t nul = 0;
  std::uint64_t eight_bit = 0;
  std::uint64_t dot_lines = 0;
  std::uint64_t unstuffed_dots = 0;

  bool operator==(const BlockTally&) const = default;
};

/// Ways to look at a block. All count alike.
enum class BlockKernel : std::uint8_t { kPortable, kSse2, kAvx2 };

/// This processor, and this build, can use `kernel`.
bool usable(BlockKernel kernel);
/// The fastest usable one.
BlockKernel best_kernel();

/// Adds up to `blocks` blocks of kBlock octets to `tally`, stops before the first one in which
/// something needs a decision octet by octet. Returns how many blocks were added. `kernel` must
/// be usable.
std::size_t tally_blocks(BlockKernel kernel, BlockTally& tally, const std::uint8_t* octets,
                         std::size_t blocks);

}  // namespace smtpscope
