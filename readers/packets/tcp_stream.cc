#include "readers/packets/tcp_stream.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace smtpscope {

void RecentOctets::add(std::span<const std::uint8_t> octets, std::uint64_t end) {
  if (octets.empty()) return;
  if (octets_.empty()) octets_.resize(kKept);
  const std::uint64_t begin = end - octets.size();
  if (begin != end_) begin_ = begin;  // behind a hole
  end_ = end;
  octets = octets.last(std::min(octets.size(), kKept));
  if (end_ - begin_ > kKept) begin_ = end_ - kKept;
  const auto at = static_cast<std::size_t>((end - octets.size()) % kKept);
  const std::size_t straight = std::min(octets.size(), kKept - at);
  std::memcpy(octets_.data() + at, octets.data(), straight);
  std::memcpy(octets_.data(), octets.data() + straight, octets.size() - straight);
}

bool RecentOctets::contradict(std::span<const std::uint8_t> octets, std::uint64_t begin) const {
  const std::uint64_t from = std::max(begin, begin_);
  const std::uint64_t to = std::min(begin + octets.size(), end_);
  for (std::uint64_t offset = from; offset < to; ++offset) {
    if (octets_[offset % kKept] != octets[static_cast<std::size_t>(offset - begin)]) return true;
  }
  return false;
}

bool TcpStream::hold(std::uint64_t begin, std::uint64_t end, std::span<const std::uint8_t> octets,
                     bool fin, std::uint64_t needs, Time now) {
  if (held_ == nullptr) held_ = std::make_unique<Held>();
  auto& pieces = held_->pieces;
  const std::uint64_t origin = begin;
  bool agree = true;
  const auto octets_from = [&](std::uint64_t from, std::uint64_t to) {
    const std::size_t skip = std::min<std::uint64_t>(from - origin, octets.size());
    return octets.subspan(skip, std::min<std::uint64_t>(to - from, octets.size() - skip));
  };
  const auto compare = [&](std::uint64_t at, const HeldPiece& there) {
    const std::uint64_t from = std::max(at, begin);
    const auto ours = octets_from(from, std::min(end, there.end));
    const auto skip = std::min<std::uint64_t>(from - at, there.octets.size());
    const auto theirs = std::span(there.octets).subspan(skip);
    const std::size_t both = std::min(ours.size(), theirs.size());
    if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(both),
                    theirs.begin())) {
      agree = false;
    }
  };

  auto next = pieces.upper_bound(begin);
  if (next != pieces.begin()) {
    const auto& [at, before] = *std::prev(next);
    if (before.end > begin) {
      compare(at, before);
      begin = before.end;
    }
  }
  while (begin < end) {
    const std::uint64_t until = next == pieces.end() ? end : std::min(end, next->first);
    if (begin < until) {
      const auto part = octets_from(begin, until);
      HeldPiece piece{.end = until,
                      .octets = {part.begin(), part.end()},
                      .fin = fin && until == end,
                      .needs = needs,
                      .arrived = now};
      held_->octets += part.size();
      pieces.emplace_hint(next, begin, std::move(piece));
    }
    if (next == pieces.end() || next->first >= end) break;
    compare(next->first, next->second);
    begin = next->second.end;
    ++next;
  }
  return agree;
}

HeldPiece TcpStream::take_first() {
  HeldPiece piece = std::move(held_->pieces.begin()->second);
  held_->pieces.erase(held_->pieces.begin());
  held_->octets -= piece.octets.size();
  if (held_->pieces.empty()) held_.reset();
  return piece;
}

}  // namespace smtpscope
