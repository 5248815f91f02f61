#include "parser/message_blocks.h"

#include <algorithm>
#include <array>
#include <bit>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "parser/message_facts.h"

namespace smtpscope {
namespace {

/// A shorter block is not worth the copy that it takes.
constexpr std::size_t kShortest = 4;

std::uint64_t ones(std::uint64_t mask) { return static_cast<std::uint64_t>(std::popcount(mask)); }

constexpr std::uint64_t bit(std::size_t at) { return std::uint64_t{1} << at; }

/// NULs at the end of a block leave open whether the line end before them, if there is one, and a
/// dot behind them make a candidate.
bool ends_in_open_nul(const OctetMasks& at, std::size_t size, bool after_line_end) {
  const std::uint64_t others = ~at.nul & (~std::uint64_t{0} >> (kBlock - size));
  if (others == 0) return after_line_end;
  const std::uint64_t last_other = std::bit_floor(others);
  return last_other != bit(size - 1) && ((at.cr | at.lf) & last_other) != 0;
}

/// The line that is being read has grown to `octets`. It is long from the octet on that is one too
/// many. Lines that begin in the block cannot be.
[[gnu::always_inline]] inline void note_growth(BlockTally& tally, std::uint64_t octets) {
  if (octets > kLongestTextLine && tally.line_octets <= kLongestTextLine) [[unlikely]]
    ++tally.long_lines;
}

/// Ends lines at `ends`, the LFs of CRLFs, not counting the `stuffed` dots at their beginnings.
void measure_each_line(BlockTally& tally, std::uint64_t ends, std::uint64_t stuffed,
                       std::size_t size) {
  const auto first = static_cast<std::uint64_t>(std::countr_zero(ends | bit(size - 1)));
  note_growth(tally, tally.line_octets + first + 1 - (stuffed & 1));
  std::size_t begin = 0;
  for (std::uint64_t left = ends; left != 0; left &= left - 1) {
    const std::size_t end = static_cast<std::size_t>(std::countr_zero(left)) + 1;
    const std::uint64_t line = tally.line_octets + end - begin - (stuffed >> begin & 1);
    tally.longest_line = std::max(tally.longest_line, line);
    tally.line_octets = 0;
    begin = end;
  }
  if (begin < size) tally.line_octets += size - begin - (stuffed >> begin & 1);
}

/// As above, where no line that begins in the block can be the longest and none has a stuffed
/// dot: only the first one that ends counts. If none does, its octets so far count; there will be
/// no fewer when it ends.
[[gnu::always_inline]] inline void measure_first_line(BlockTally& tally, std::uint64_t ends,
                                                      std::size_t size) {
  const int first = std::countr_zero(ends | bit(size - 1));
  const std::uint64_t line = tally.line_octets + static_cast<std::uint64_t>(first) + 1;
  note_growth(tally, line);
  tally.longest_line = std::max(tally.longest_line, line);
  const auto above_last = static_cast<std::uint64_t>(std::countl_zero(ends));
  tally.line_octets = ends != 0 ? above_last - (kBlock - size) : tally.line_octets + size;
}

/// Adds a block of `size` octets, or refuses it. Inlined so that it is compiled for the
/// instruction set of each kernel, and `size` is a constant where it can be.
[[gnu::always_inline]] inline bool add_block(BlockTally& tally, const OctetMasks& at,
                                             std::size_t size) {
  // "Behind x" is x shifted up by one; what stands before the block comes in below.
  const std::uint64_t behind_cr = at.cr << 1 | std::uint64_t{tally.after_cr};
  const std::uint64_t ends = at.lf & behind_cr;
  const std::uint64_t last = bit(size - 1);

  std::uint64_t stuffed = 0;
  if (tally.dotted) {
    // A dot must be decided on when on both sides stands what may be (part of) a line end: it may
    // be an end of data, strict or not.
    const std::uint64_t around = at.cr | at.lf | at.nul;
    const std::uint64_t open_dots = at.dot & (around << 1 | std::uint64_t{tally.after_line_end});
    if (((open_dots << 1 & around) | (open_dots & last)) != 0) [[unlikely]]
      return false;
    if (at.nul != 0 && ends_in_open_nul(at, size, tally.after_line_end)) [[unlikely]]
      return false;
    stuffed = at.dot & (ends << 1 | std::uint64_t{tally.at_line_start});
  }

  // The two masks are equal when every CR has its LF and every LF its CR. The CR that is the last
  // octet of a block is judged with the next.
  const std::uint64_t here = ~std::uint64_t{0} >> (kBlock - size);
  if ((behind_cr & here) != at.lf) {
    // Two CRs at the end would have to be remembered, for an LF may come. They hardly ever are
    // there.
    if ((at.cr & behind_cr & last) != 0) [[unlikely]]
      return false;
    tally.bare_cr += ones(behind_cr & here & ~at.lf);
    tally.bare_lf += ones(at.lf & ~behind_cr);
    tally.cr_cr_lf += ones(ends & behind_cr << 1);
  }
  if ((at.nul | at.high) != 0) {
    tally.nul += ones(at.nul);
    tally.eight_bit += ones(at.high);
  }
  if (stuffed != 0) {
    tally.dot_lines += ones(stuffed);
    // Neither CR nor LF follows here, so what is no dot is text (RFC 5321 4.5.2).
    tally.unstuffed_dots += ones(stuffed << 1 & ~at.dot);
    measure_each_line(tally, ends, stuffed, size);
  } else if (tally.longest_line < kBlock) {
    measure_each_line(tally, ends, stuffed, size);
  } else {
    measure_first_line(tally, ends, size);
  }
  tally.lines += ones(ends);

  tally.after_cr = (at.cr & last) != 0;
  tally.at_line_start = (ends & last) != 0;
  tally.after_line_end = ((at.cr | at.lf) & last) != 0;
  return true;
}

/// Whole blocks, with masks made one way.
template <typename Masks>
std::size_t add_blocks(BlockTally& tally, std::span<const std::uint8_t> octets) {
  BlockTally local = tally;  // in registers
  std::size_t done = 0;
  while (octets.size() - done >= kBlock &&
         add_block(local, Masks::of(octets.data() + done), kBlock)) {
    done += kBlock;
  }
  tally = local;
  return done;
}

/// A block that is not whole. Portable: there is one per read at most.
bool add_short_block(BlockTally& tally, std::span<const std::uint8_t> octets) {
  std::array<std::uint8_t, kBlock> block;
  block.fill('x');  // any octet that shows in no mask
  std::copy(octets.begin(), octets.end(), block.begin());
#if defined(__x86_64__)
  return add_block(tally, Sse2Masks::of(block.data()), octets.size());
#else
  return add_block(tally, PortableMasks::of(block.data()), octets.size());
#endif
}

#if defined(__x86_64__)

/// Adds blocks of the most usual kind, in which CR and LF come together, no line begins with a
/// dot, and there is neither NUL nor 8-bit octet. To see that, and where lines end, takes half as
/// long as making masks. Each block is compared with itself one octet on, so the octet behind it
/// must be there.
__attribute__((target("avx2,bmi,lzcnt,popcnt"))) std::size_t add_plain_blocks(
    BlockTally& tally, std::span<const std::uint8_t> octets) {
  // What stands before the first block is not seen by comparing. Short lines need every end.
  if (octets.size() <= kBlock || tally.longest_line < kBlock) return 0;
  if ((octets[0] == '\n') != tally.after_cr || (octets[0] == '.' && tally.after_line_end)) return 0;

  const __m256i cr = _mm256_set1_epi8('\r');
  const __m256i lf = _mm256_set1_epi8('\n');
  const __m256i dot = _mm256_set1_epi8('.');
  BlockTally local = tally;
  std::size_t done = 0;
  for (; octets.size() - done > kBlock; done += kBlock) {
    const auto* at = reinterpret_cast<const __m256i*>(octets.data() + done);
    const auto* behind = reinterpret_cast<const __m256i*>(octets.data() + done + 1);
    const __m256i low = _mm256_loadu_si256(at);
    const __m256i high = _mm256_loadu_si256(at + 1);
    const __m256i behind_low = _mm256_loadu_si256(behind);
    const __m256i behind_high = _mm256_loadu_si256(behind + 1);

    const __m256i ends_low = _mm256_cmpeq_epi8(low, lf);
    const __m256i ends_high = _mm256_cmpeq_epi8(high, lf);
    const __m256i parted = _mm256_or_si256(
        _mm256_xor_si256(_mm256_cmpeq_epi8(low, cr), _mm256_cmpeq_epi8(behind_low, lf)),
        _mm256_xor_si256(_mm256_cmpeq_epi8(high, cr), _mm256_cmpeq_epi8(behind_high, lf)));
    const __m256i dots =
        _mm256_or_si256(_mm256_and_si256(ends_low, _mm256_cmpeq_epi8(behind_low, dot)),
                        _mm256_and_si256(ends_high, _mm256_cmpeq_epi8(behind_high, dot)));
    // As signed octets, NUL and the 8-bit ones are below 1.
    const __m256i odd = _mm256_cmpgt_epi8(_mm256_set1_epi8(1), _mm256_min_epi8(low, high));
    const __m256i special = _mm256_or_si256(_mm256_or_si256(parted, dots), odd);
    if (_mm256_testz_si256(special, special) == 0) break;

    const std::uint64_t ends = Avx2Masks::gather(ends_low, ends_high);
    measure_first_line(local, ends, kBlock);
    local.lines += ones(ends);
  }
  if (done == 0) return 0;
  local.after_cr = octets[done - 1] == '\r';
  local.at_line_start = octets[done - 1] == '\n';
  local.after_line_end = local.after_cr || local.at_line_start;
  tally = local;
  return done;
}

__attribute__((target("avx2,bmi,lzcnt,popcnt"))) std::size_t add_blocks_avx2(
    BlockTally& tally, std::span<const std::uint8_t> octets) {
  std::size_t done = 0;
  while (true) {
    done += add_plain_blocks(tally, octets.subspan(done));
    if (octets.size() - done < kBlock) return done;
    if (!add_block(tally, Avx2Masks::of(octets.data() + done), kBlock)) return done;
    done += kBlock;
  }
}

/// LZCNT came with AVX2 in all processors so far, but has a bit of its own (leaf 80000001h), and
/// runs as BSR, with another result, where it is missing.
bool has_lzcnt() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) != 0 && (ecx & 1u << 5) != 0;
}

#endif

std::size_t add_whole_blocks(BlockKernel kernel, BlockTally& tally,
                             std::span<const std::uint8_t> octets) {
  switch (kernel) {
#if defined(__x86_64__)
    case BlockKernel::kSse2:
      return add_blocks<Sse2Masks>(tally, octets);
    case BlockKernel::kAvx2:
      return add_blocks_avx2(tally, octets);
#endif
    default:
      return add_blocks<PortableMasks>(tally, octets);
  }
}

}  // namespace

bool usable(BlockKernel kernel) {
#if defined(__x86_64__)
  if (kernel == BlockKernel::kSse2) return true;
  if (kernel == BlockKernel::kAvx2) {
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
           __builtin_cpu_supports("popcnt") != 0 && has_lzcnt();
  }
#endif
  return kernel == BlockKernel::kPortable;
}

BlockKernel best_kernel() {
  static const BlockKernel kBest = usable(BlockKernel::kAvx2)   ? BlockKernel::kAvx2
                                   : usable(BlockKernel::kSse2) ? BlockKernel::kSse2
                                                                : BlockKernel::kPortable;
  return kBest;
}

std::size_t tally_blocks(BlockKernel kernel, BlockTally& tally,
                         std::span<const std::uint8_t> octets) {
  const std::size_t done = add_whole_blocks(kernel, tally, octets);
  const auto rest = octets.subspan(done);
  if (rest.size() < kShortest || rest.size() >= kBlock) return done;
  return add_short_block(tally, rest) ? octets.size() : done;
}

}  // namespace smtpscope
