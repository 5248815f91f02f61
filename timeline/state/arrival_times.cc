#include "timeline/state/arrival_times.h"

#include <algorithm>

namespace smtpscope {

void ArrivalTimes::add(Side side, std::uint64_t octets, Time time, bool by_proxy,
                       bool undelivered) {
  Stream& stream = streams_[index(side)];
  stream.received += octets;
  const std::size_t kept = stream.marks.size() - stream.head;
  if (kept > 0) {
    Mark& last = stream.marks.back();
    if (last.time == time && last.by_proxy == by_proxy && last.undelivered == undelivered) {
      last.end = stream.received;
      return;
    }
  }
  if (kept >= kMaxMarks) stream.make_room();
  if (stream.head > 0 && stream.marks.size() == stream.marks.capacity()) {
    stream.marks.erase(stream.marks.begin(),
                       stream.marks.begin() + static_cast<std::ptrdiff_t>(stream.head));
    stream.head = 0;
  }
  stream.marks.push_back({.end = stream.received,
                          .time = time,
                          .reads = 1,
                          .by_proxy = by_proxy,
                          .undelivered = undelivered});
}

void ArrivalTimes::Stream::make_room() {
  // The first reads matter (when did it begin, how did it start) and the last ones (how did it end,
  // when was it complete); what came between is only counted.
  const auto into = marks.end() - static_cast<std::ptrdiff_t>(kLastReads) - 1;
  const auto next = into + 1;
  into->end = next->end;
  into->time = next->time;
  into->reads += next->reads;
  into->by_proxy |= next->by_proxy;
  into->undelivered = next->undelivered;
  marks.erase(next);
}

void ArrivalTimes::skip(Side side, std::uint64_t octets) {
  streams_[index(side)].received += octets;
}

ArrivalTimes::Arrival ArrivalTimes::look_up(Side side, std::uint64_t begin, std::uint64_t end,
                                            Time fallback, std::span<ReadPiece> pieces,
                                            std::span<ReadPiece> last_pieces) const {
  const Stream& stream = streams_[index(side)];
  Arrival arrival{.first = fallback, .last = fallback};
  std::uint64_t from = stream.forgotten;
  for (std::size_t i = stream.head; i < stream.marks.size() && from < end; ++i) {
    const Mark& mark = stream.marks[i];
    if (mark.end > begin) {
      if (arrival.read_count == 0) arrival.first = mark.time;
      arrival.last = mark.time;
      arrival.by_proxy |= mark.by_proxy;
      arrival.undelivered |= mark.undelivered;
      arrival.read_count += mark.reads;
      const ReadPiece piece{.time = mark.time,
                            .octets = std::min(mark.end, end) - std::max(from, begin)};
      if (arrival.pieces < pieces.size()) pieces[arrival.pieces++] = piece;
      if (arrival.last_pieces < last_pieces.size()) {
        last_pieces[arrival.last_pieces++] = piece;
      } else if (!last_pieces.empty()) {
        std::shift_left(last_pieces.begin(), last_pieces.end(), 1);
        last_pieces.back() = piece;
      }
    }
    from = mark.end;
  }
  return arrival;
}

Time ArrivalTimes::time_of(Side side, std::uint64_t end, Time fallback) const {
  const Stream& stream = streams_[index(side)];
  for (std::size_t i = stream.head; i < stream.marks.size(); ++i) {
    if (stream.marks[i].end >= end) return stream.marks[i].time;
  }
  return fallback;
}

void ArrivalTimes::forget(Side side, std::uint64_t end) {
  Stream& stream = streams_[index(side)];
  stream.forgotten = std::max(stream.forgotten, end);
  while (stream.head < stream.marks.size() && stream.marks[stream.head].end <= end) ++stream.head;
  if (stream.head == stream.marks.size()) {
    stream.marks.clear();
    stream.head = 0;
  }
}

}  // namespace smtpscope
