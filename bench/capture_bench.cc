// What the relay pays for writing down what it relays, the disk aside, and what reading it back
// costs. Build with CMAKE_BUILD_TYPE=Release and SMTPSCOPE_BENCH=ON.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "capture/capture_writer.h"
#include "capture/event_format.h"
#include "capture/event_line.h"
#include "capture/sanitizer.h"

namespace smtpscope {
namespace {

/// A read of the relay.
constexpr std::size_t kRead = 64 * 1024;

/// Lines of differing length, as mail has.
std::string mail_text() {
  std::mt19937 random(5322);
  std::string text;
  while (text.size() < kRead) {
    for (std::size_t n = 40 + random() % 39; n > 0; --n) {
      text += static_cast<char>(random() % 6 == 0 ? ' ' : 'a' + static_cast<int>(random() % 26));
    }
    text += "\r\n";
  }
  text.resize(kRead);
  return text;
}

std::string encrypted() {
  std::mt19937 random(8446);
  std::string text(kRead, ' ');
  for (char& c : text) c = static_cast<char>(random() % 256);
  return text;
}

WireEvent read_of(std::string_view text, Side from = Side::kClient) {
  Bytes bytes;
  bytes.from = from;
  bytes.head = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  return {123, at_ns(12345678901), bytes};
}

void format(benchmark::State& state, const std::string& text) {
  const WireEvent event = read_of(text);
  std::string line(most_event_line(event), ' ');
  for (auto _ : state) benchmark::DoNotOptimize(format_event(line.data(), event));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(format, short_command, "RCPT TO:<somebody@example.com>\r\n");
BENCHMARK_CAPTURE(format, mail_text, mail_text());
BENCHMARK_CAPTURE(format, encrypted, encrypted());

void format_hole(benchmark::State& state) {
  const std::string text = mail_text();
  const WireEvent raw = read_of(text);
  Bytes bytes = std::get<Bytes>(raw.body);
  LeftOut hole{bytes.head.size(), MessageScanner()};
  hole.after.scan(bytes.head);
  bytes.left_out = std::make_shared<const LeftOut>(hole);
  bytes.head = {};
  const WireEvent event{raw.session, raw.time, bytes};
  std::string line(most_event_line(event), ' ');
  for (auto _ : state) benchmark::DoNotOptimize(format_event(line.data(), event));
}
BENCHMARK(format_hole);

void parse(benchmark::State& state, const std::string& text) {
  const WireEvent event = read_of(text);
  std::string line(most_event_line(event), ' ');
  line.resize(static_cast<std::size_t>(format_event(line.data(), event) - line.data()) - 1);
  EventLine reader;
  for (auto _ : state) benchmark::DoNotOptimize(reader.parse(line));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(parse, short_command, "RCPT TO:<somebody@example.com>\r\n");
BENCHMARK_CAPTURE(parse, mail_text, mail_text());

/// Parser, masks, limit and writer: all that capturing costs the loop's thread.
void sanitize(benchmark::State& state, std::uint64_t message_octets, bool mail_data) {
  CaptureWriter writer(::open("/dev/null", O_WRONLY));
  Sanitizer sanitizer({false, message_octets}, &writer, nullptr);
  const auto feed = [&](std::string_view text, Side from) { sanitizer.feed(read_of(text, from)); };
  feed("220 mx\r\n", Side::kServer);
  feed("EHLO c\r\n", Side::kClient);
  feed("250 mx\r\n", Side::kServer);
  if (mail_data) {
    feed("DATA\r\n", Side::kClient);
    feed("354 go\r\n", Side::kServer);
  }
  const std::string content = mail_text();
  std::int64_t octets = 0;
  for (auto _ : state) {
    if (mail_data) {
      feed(content, Side::kClient);
      octets += static_cast<std::int64_t>(content.size());
    } else {
      feed("NOOP\r\n", Side::kClient);
      feed("250 2.0.0 Ok\r\n", Side::kServer);
      octets += 20;
    }
  }
  state.SetBytesProcessed(octets);
  writer.close();
  if (writer.totals().lost_events > 0) state.SkipWithError("the writer lost events");
}
BENCHMARK_CAPTURE(sanitize, command_and_reply, SanitizerPolicy::kEverything, false);
BENCHMARK_CAPTURE(sanitize, mail_data_whole, SanitizerPolicy::kEverything, true);
BENCHMARK_CAPTURE(sanitize, mail_data_bounded, 65536, true);

}  // namespace
}  // namespace smtpscope
