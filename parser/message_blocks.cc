#include "parser/message_blocks.h"

#include <algorithm>
#include <bit>

namespace smtpscope {
namespace {

constexpr std::uint64_t kTopBit = std::uint64_t{1} << (kBlock - 1);

std::uint64_t ones(std::uint64_t mask) { return static_cast<std::uint64_t>(std::popcount(mask)); }

/// A NUL run at the end of the block leaves open whether the line end before it, if there is one,
/// and a dot behind it make a candidate.
bool ends_in_open_nul(const OctetMasks& at, bool after_line_end) {
  const int run = std::countl_one(at.nul);
  if (run == 0) return false;
  if (run == kBlock) return after_line_end;
  return ((at.cr | at.lf) >> (kBlock - 1 - static_cast<unsigned>(run)) & 1) != 0;
}

/// Ends lines at `ends` (the LFs of CRLFs), not counting the `stuffed` dots at their beginnings.
void measure_each_line(BlockTally& tally, std::uint64_t ends, std::uint64_t stuffed) {
  unsigned begin = 0;
  for (std::uint64_t left = ends; left != 0; left &= left - 1) {
    const unsigned end = static_cast<unsigned>(std::countr_zero(left)) + 1;
    const std::uint64_t line = tally.line_octets + end - begin - (stuffed >> begin & 1);
    tally.longest_line = std::max(tally.longest_line, line);
    tally.line_octets = 0;
    begin = end;
  }
  if (begin < kBlock) tally.line_octets += kBlock - begin - (stuffed >> begin & 1);
}

/// Adds one block, or refuses it. The kernels inline this, so that it is compiled for their
/// instruction sets.
[[gnu::always_inline]] inline bool add_block(BlockTally& tally, const OctetMasks& at) {
  // "Behind x" shifts x up by one, and what the block before ended in comes in below.
  const std::uint64_t behind_cr = at.cr << 1 | std::uint64_t{tally.after_cr};
  const std::uint64_t ends = at.lf & behind_cr;

  std::uint64_t stuffed = 0;
  if (tally.dotted) {
    // A dot needs a decision when on both sides stands what may be (part of) a line end: it may
    // be an end of data, strict or not.
    const std::uint64_t around = at.cr | at.lf | at.nul;
    const std::uint64_t open_dots = at.dot & (around << 1 | std::uint64_t{tally.after_line_end});
    if (((open_dots << 1 & around) | (open_dots & kTopBit)) != 0) [[unlikely]]
      return false;
    if (at.nul != 0 && ends_in_open_nul(at, tally.after_line_end)) [[unlikely]]
      return false;

    stuffed = at.dot & (ends << 1 | std::uint64_t{tally.at_line_start});
    tally.after_line_end = ((at.cr | at.lf) & kTopBit) != 0;
  }

  // Every CR has its LF and every LF its CR when the two masks are equal.
  if (behind_cr != at.lf) {
    tally.bare_cr += ones(behind_cr & ~at.lf);
    tally.bare_lf += ones(at.lf & ~behind_cr);
  }
  if ((at.nul | at.high) != 0) {
    tally.nul += ones(at.nul);
    tally.eight_bit += ones(at.high);
  }

  tally.lines += ones(ends);
  if (stuffed != 0) {
    tally.dot_lines += ones(stuffed);
    // Neither CR nor LF follows here, so what is no dot is text (RFC 5321 4.5.2).
    tally.unstuffed_dots += ones(stuffed << 1 & ~at.dot);
    measure_each_line(tally, ends, stuffed);
  } else if (tally.longest_line < kBlock) {
    measure_each_line(tally, ends, stuffed);
  } else {
    // Of the lines that end here only the first can be longer than a block.
    const std::uint64_t first =
        tally.line_octets + static_cast<std::uint64_t>(std::countr_zero(ends)) + 1;
    tally.longest_line = std::max(tally.longest_line, ends != 0 ? first : 0);
    tally.line_octets =
        ends != 0 ? static_cast<std::uint64_t>(std::countl_zero(ends)) : tally.line_octets + kBlock;
  }

  tally.after_cr = (at.cr & kTopBit) != 0;
  tally.at_line_start = (ends & kTopBit) != 0;
  return true;
}

std::size_t tally_portable(BlockTally& tally, const std::uint8_t* octets, std::size_t blocks) {
  BlockTally local = tally;  // in registers
  std::size_t done = 0;
  while (done < blocks && add_block(local, PortableMasks::of(octets + done * kBlock))) ++done;
  tally = local;
  return done;
}

#if defined(__x86_64__)

std::size_t tally_sse2(BlockTally& tally, const std::uint8_t* octets, std::size_t blocks) {
  BlockTally local = tally;
  std::size_t done = 0;
  while (done < blocks && add_block(local, Sse2Masks::of(octets + done * kBlock))) ++done;
  tally = local;
  return done;
}

__attribute__((target("avx2,bmi,popcnt"))) std::size_t tally_avx2(BlockTally& tally,
                                                                  const std::uint8_t* octets,
                                                                  std::size_t blocks) {
  BlockTally local = tally;
  std::size_t done = 0;
  while (done < blocks && add_block(local, Avx2Masks::of(octets + done * kBlock))) ++done;
  tally = local;
  return done;
}

#endif

}  // namespace

bool usable(BlockKernel kernel) {
  switch (kernel) {
    case BlockKernel::kPortable:
      return true;
#if defined(__x86_64__)
    case BlockKernel::kSse2:
      return true;
    case BlockKernel::kAvx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
             __builtin_cpu_supports("popcnt") != 0;
#endif
    default:
      return false;
  }
}

BlockKernel best_kernel() {
  static const BlockKernel best = usable(BlockKernel::kAvx2)   ? BlockKernel::kAvx2
                                  : usable(BlockKernel::kSse2) ? BlockKernel::kSse2
                                                               : BlockKernel::kPortable;
  return best;
}

std::size_t tally_blocks(BlockKernel kernel, BlockTally& tally, const std::uint8_t* octets,
                         std::size_t blocks) {
  switch (kernel) {
#if defined(__x86_64__)
    case BlockKernel::kSse2:
      return tally_sse2(tally, octets, blocks);
    case BlockKernel::kAvx2:
      return tally_avx2(tally, octets, blocks);
#endif
    default:
      return tally_portable(tally, octets, blocks);
  }
}

}  // namespace smtpscope
