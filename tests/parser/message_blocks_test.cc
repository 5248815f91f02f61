#include "parser/message_blocks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "parser/message_facts.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

constexpr std::array kAllKernels = {BlockKernel::kPortable, BlockKernel::kSse2, BlockKernel::kAvx2};

TEST_CASE("the portable kernel is always there, and the best one usable") {
  CHECK(usable(BlockKernel::kPortable));
  CHECK(usable(best_kernel()));
}

TEST_CASE("masks show every octet in every place") {
  std::array<std::uint8_t, kBlock> block{};
  for (std::size_t at = 0; at < kBlock; ++at) {
    for (unsigned octet = 0; octet < 256; ++octet) {
      block.fill('x');
      block[at] = static_cast<std::uint8_t>(octet);
      const std::uint64_t here = std::uint64_t{1} << at;
      const auto check = [&](const OctetMasks& masks) {
        REQUIRE(masks.cr == (octet == '\r' ? here : 0));
        REQUIRE(masks.lf == (octet == '\n' ? here : 0));
        REQUIRE(masks.dot == (octet == '.' ? here : 0));
        REQUIRE(masks.nul == (octet == 0 ? here : 0));
        REQUIRE(masks.high == (octet >= 0x80 ? here : 0));
      };
      check(PortableMasks::of(block.data()));
#if defined(__x86_64__)
      check(Sse2Masks::of(block.data()));
#endif
    }
  }
}

TEST_CASE("the kernels count alike") {
  std::mt19937 random(5321);
  // Neighbours differ in one bit, where an inexact comparison would carry over.
  constexpr std::array<std::uint8_t, 20> kOctets = {'\r', '\n', '\r', '\n', '.', 0,    1,
                                                    0x0b, 0x0c, 0x0e, '/',  '-', 0x7f, 0x80,
                                                    0x8d, 0x8a, 0xae, 0xff, 'x', 'y'};
  std::uint64_t taken_altogether = 0;
  std::uint64_t long_lines = 0;
  std::uint64_t cr_cr_lfs = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::uint8_t> octets(random() % (5 * kBlock), 'a');
    const auto density = 1 + random() % 300;
    for (auto& octet : octets) {
      if (random() % density == 0) octet = kOctets[random() % kOctets.size()];
    }
    // Without proper line ends the way that most mail takes would hardly be gone.
    for (std::size_t at = random() % 90; at + 2 < octets.size(); at += 2 + random() % 90) {
      octets[at] = '\r';
      octets[at + 1] = '\n';
    }
    BlockTally before;
    before.dotted = random() % 4 != 0;
    before.after_cr = random() % 2 == 0;
    before.at_line_start = !before.after_cr && random() % 2 == 0;
    before.after_line_end = before.after_cr || before.at_line_start || random() % 2 == 0;
    // Half of them about to become long.
    before.line_octets = random() % 100 + (random() % 2 == 0 ? kLongestTextLine - 100 : 0);
    before.longest_line = random() % 200;

    BlockTally wanted = before;
    const std::size_t taken = tally_blocks(BlockKernel::kPortable, wanted, octets);
    taken_altogether += taken;
    long_lines += wanted.long_lines;
    cr_cr_lfs += wanted.cr_cr_lf;
    for (const BlockKernel kernel : kAllKernels) {
      if (!usable(kernel)) continue;
      BlockTally tally = before;
      REQUIRE(tally_blocks(kernel, tally, octets) == taken);
      REQUIRE(tally == wanted);
    }
  }
  // The comparison was not about nothing.
  CHECK(taken_altogether > 10000 * kBlock);
  CHECK(long_lines > 100);
  CHECK(cr_cr_lfs > 100);
}

TEST_CASE("blocks with nothing to decide are counted, others are left") {
  std::vector<std::uint8_t> octets(4 * kBlock, 'a');
  const auto put = [&](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), octets.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(62, "\r\n..");  // a stuffed dot over the border of two blocks
  put(100, "a.\r\n");
  put(3 * kBlock + 7, "\r\n.\r\n");
  for (const BlockKernel kernel : kAllKernels) {
    if (!usable(kernel)) continue;
    BlockTally tally;
    CHECK(tally_blocks(kernel, tally, octets) == 3 * kBlock);
    CHECK(tally.lines == 2);
    CHECK(tally.dot_lines == 1);
    CHECK(tally.unstuffed_dots == 0);
    CHECK(tally.line_octets == 3 * kBlock - 104);
    CHECK(tally.longest_line == 3 * kBlock - 104);
  }
}

TEST_CASE("the last block may be short, but not too short") {
  std::vector<std::uint8_t> octets(kBlock + 20, 'a');
  octets[kBlock + 18] = '\r';
  octets[kBlock + 19] = '\n';
  for (const BlockKernel kernel : kAllKernels) {
    if (!usable(kernel)) continue;
    BlockTally tally;
    CHECK(tally_blocks(kernel, tally, octets) == octets.size());
    CHECK(tally.lines == 1);
    CHECK(tally.longest_line == octets.size());
    CHECK(tally.line_octets == 0);
    CHECK(tally.at_line_start);
    CHECK(!tally.after_cr);

    BlockTally cut;
    CHECK(tally_blocks(kernel, cut, std::span(octets).first(kBlock + 19)) == kBlock + 19);
    CHECK(cut.after_cr);
    CHECK(cut.bare_cr == 0);

    BlockTally whole;
    CHECK(tally_blocks(kernel, whole, std::span(octets).first(kBlock + 3)) == kBlock);
    BlockTally none;
    CHECK(tally_blocks(kernel, none, {}) == 0);
    CHECK(none == BlockTally{});
  }
}

}  // namespace
}  // namespace smtpscope
