// What the relay pays for understanding what it relays. Build with CMAKE_BUILD_TYPE=Release and
// SMTPSCOPE_BENCH=ON.

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/message_blocks.h"
#include "parser/message_scanner.h"
#include "parser/verb.h"

namespace smtpscope {
namespace {

/// A read of the relay.
constexpr std::size_t kRead = 64 * 1024;

std::string repeated(std::string_view unit, std::size_t octets = kRead) {
  std::string text;
  while (text.size() < octets) text += unit;
  text.resize(octets);
  return text;
}

/// Base64 and the like: every line 76 characters and CRLF.
std::string even_lines() { return repeated(std::string(76, 'A') + "\r\n"); }

/// Prose: lines of differing length with full stops in it, here and there an empty one.
std::string prose() {
  std::mt19937 random(1870);
  std::string text;
  while (text.size() < kRead) {
    const std::size_t length = random() % 12 == 0 ? 0 : 40 + random() % 39;
    for (std::size_t i = 0; i < length; ++i) {
      const auto dice = random() % 60;
      text += dice == 0 ? '.' : dice < 10 ? ' ' : static_cast<char>('a' + random() % 26);
    }
    text += "\r\n";
  }
  text.resize(kRead);
  return text;
}

void scan_text(benchmark::State& state, const std::string& text, MessageScanner::Framing framing) {
  const std::span octets(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  MessageScanner scanner(framing);
  for (auto _ : state) {
    if (scanner.scan(octets) != octets.size()) state.SkipWithError("the data ended");
    benchmark::DoNotOptimize(scanner);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void scan_data(benchmark::State& state, const std::string& text) {
  scan_text(state, text, MessageScanner::Framing::kDotTerminated);
}

BENCHMARK_CAPTURE(scan_data, even_lines, even_lines());
BENCHMARK_CAPTURE(scan_data, prose, prose());
BENCHMARK_CAPTURE(scan_data, short_lines, repeated("Hello,\r\n\r\nfine\r\n"));
BENCHMARK_CAPTURE(scan_data, empty_lines, repeated("\r\n"));
BENCHMARK_CAPTURE(scan_data, no_line_end, repeated("a", 10'000'000));
BENCHMARK_CAPTURE(scan_data, all_eight_bit, repeated("\xc3\xa4"));
BENCHMARK_CAPTURE(scan_data, stuffed_dots, repeated("..\r\n"));
BENCHMARK_CAPTURE(scan_data, unstuffed_dots, repeated(".a\r\n"));
BENCHMARK_CAPTURE(scan_data, bare_lf, repeated("a\n"));
BENCHMARK_CAPTURE(scan_data, only_lf, repeated("\n"));
BENCHMARK_CAPTURE(scan_data, only_cr, repeated("\r"));
BENCHMARK_CAPTURE(scan_data, only_nul, repeated(std::string_view("\0", 1)));
BENCHMARK_CAPTURE(scan_data, only_dots, repeated("."));
BENCHMARK_CAPTURE(scan_data, candidates, repeated("\n.\n"));
BENCHMARK_CAPTURE(scan_data, rare_candidates, repeated(std::string(70, 'a') + "\r\n.\na\r\n"));
BENCHMARK_CAPTURE(scan_data, alternating_dots, repeated("\r."));

std::string noise() {
  std::mt19937 random(3030);
  std::string text(kRead, ' ');
  for (char& octet : text) octet = static_cast<char>(random());
  return text;
}

void scan_chunk(benchmark::State& state) {
  scan_text(state, noise(), MessageScanner::Framing::kCounted);
}
BENCHMARK(scan_chunk);

void scan_read(benchmark::State& state) {
  const std::string text = prose();
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::span octets(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  MessageScanner scanner;
  std::size_t at = 0;
  for (auto _ : state) {
    if (at + size > octets.size()) at = 0;
    scanner.scan(octets.subspan(at, size));
    at += size;
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(scan_read)->Arg(78)->Arg(512)->Arg(1448)->Arg(4096)->Arg(16384)->Arg(65536);

void blocks(benchmark::State& state, BlockKernel kernel) {
  if (!usable(kernel)) {
    state.SkipWithError("this processor cannot");
    return;
  }
  const std::string text = prose();
  const std::span octets(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  for (auto _ : state) {
    BlockTally tally;
    benchmark::DoNotOptimize(tally_blocks(kernel, tally, octets));
    benchmark::DoNotOptimize(tally);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(blocks, portable, BlockKernel::kPortable);
BENCHMARK_CAPTURE(blocks, sse2, BlockKernel::kSse2);
BENCHMARK_CAPTURE(blocks, avx2, BlockKernel::kAvx2);

void find_verb(benchmark::State& state) {
  constexpr std::array<std::string_view, 8> kWords = {"MAIL", "RCPT",     "rcpt", "DATA",
                                                      "QUIT", "STARTTLS", "FOO",  "EHLO"};
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(verb_of(kWords[i++ % kWords.size()]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(find_verb);

}  // namespace
}  // namespace smtpscope
