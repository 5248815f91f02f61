#include "timeline/state/read_pace.h"

#include <chrono>

namespace smtpscope {
namespace {

using std::chrono::milliseconds;

struct DelayWindow {
  AckDelay delay;
  Duration least, most;
};
// Measured on Linux 42 to 43 ms; Windows documents 200 ms; BSD systems use 100 ms.
constexpr DelayWindow kWindows[] = {
    {AckDelay::k40ms, milliseconds(38), milliseconds(60)},
    {AckDelay::k100ms, milliseconds(90), milliseconds(110)},
    {AckDelay::k200ms, milliseconds(190), milliseconds(220)},
};

}  // namespace

std::optional<AckDelay> ack_delay(const ReadPiece& before, const ReadPiece& after) {
  if (before.octets >= kFullSegment || after.octets >= kFullSegment) return std::nullopt;
  const Duration gap = after.time - before.time;
  for (const DelayWindow& window : kWindows) {
    if (gap >= window.least && gap <= window.most) return window.delay;
  }
  return std::nullopt;
}

AckStalls ack_stalls(std::span<const ReadPiece> reads) {
  AckStalls stalls;
  for (std::size_t i = 1; i < reads.size(); ++i) {
    const std::optional<AckDelay> delay = ack_delay(reads[i - 1], reads[i]);
    if (!delay || stalls.count++ > 0) continue;
    stalls.first = i;
    stalls.length = reads[i].time - reads[i - 1].time;
    stalls.delay = *delay;
  }
  return stalls;
}

std::optional<DotPause> dot_pause(const Entry& entry) {
  const auto* data = std::get_if<MailData>(&entry.item->body);
  if (data == nullptr || data->end != DataEnd::kStrict) return std::nullopt;
  const std::span<const ReadPiece> reads = entry.last_reads;
  // Strict is CRLF.CRLF: a last read of three octets holds ".CRLF", and the line before it was
  // complete.
  constexpr std::uint64_t kDotLine = 3;
  if (reads.size() < 2 || reads.back().octets != kDotLine) return std::nullopt;
  const ReadPiece& dot = reads.back();
  const ReadPiece& content = reads[reads.size() - 2];
  DotPause found{.pause = dot.time - content.time, .since_written = dot.time - content.time};
  if (reads.size() >= 3) {
    const ReadPiece& before = reads[reads.size() - 3];
    // What Nagle's algorithm held back had been written when the piece before it went out, or
    // soon after: the sender's pause began then.
    if (ack_delay(before, content)) found.since_written = dot.time - before.time;
  }
  return found;
}

}  // namespace smtpscope
