#include "readers/packets/ip_defragmenter.h"

#include <algorithm>
#include <iterator>

namespace smtpscope {

/// False when no packet can come of it any more.
bool IpDefragmenter::Parts::add(const IpPacket& fragment) {
  const std::size_t begin = fragment.fragment_offset;
  const std::size_t end = begin + fragment.payload.size();
  if (fragment.cut > 0 || end > kMaxPayload) return false;
  if (!fragment.more_fragments && !size) size = end;
  if (octets.size() < end) octets.resize(end);

  // Only what is not there yet.
  std::size_t at = begin;
  const auto copy_until = [&](std::size_t until) {
    if (at >= until) return;
    std::copy(fragment.payload.begin() + static_cast<std::ptrdiff_t>(at - begin),
              fragment.payload.begin() + static_cast<std::ptrdiff_t>(until - begin),
              octets.begin() + static_cast<std::ptrdiff_t>(at));
  };
  for (const Range& range : there) {
    if (range.begin >= end) break;
    copy_until(range.begin);
    at = std::max(at, range.end);
  }
  copy_until(end);

  there.push_back({begin, end});
  std::ranges::sort(there, {}, &Range::begin);
  std::vector<Range> joined;
  for (const Range& range : there) {
    if (!joined.empty() && range.begin <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, range.end);
    } else {
      joined.push_back(range);
    }
  }
  there = std::move(joined);
  return there.size() <= kMaxRanges;
}

std::optional<IpPacket> IpDefragmenter::take(const IpPacket& fragment, Time now) {
  while (!packets_.empty() &&
         (packets_.size() >= kMaxPackets || now - packets_.front().since > kPatience)) {
    packets_.pop_front();
    ++incomplete_;
  }
  // RFC 8200 4.5 leaves the protocol out of what identifies a packet; RFC 791 has it.
  auto parts = std::ranges::find_if(packets_, [&](const Parts& one) {
    return one.packet.fragment_id == fragment.fragment_id && one.packet.source == fragment.source &&
           one.packet.destination == fragment.destination &&
           (one.packet.source.v6 || one.packet.protocol == fragment.protocol);
  });
  if (parts == packets_.end()) {
    Parts& added = packets_.emplace_back();
    added.packet = fragment;
    added.packet.payload = {};
    added.since = now;
    parts = std::prev(packets_.end());
  }
  if (fragment.fragment_offset == 0) parts->packet.protocol = fragment.protocol;
  if (!parts->add(fragment)) {
    packets_.erase(parts);
    ++incomplete_;
    return std::nullopt;
  }
  if (!parts->complete()) return std::nullopt;
  IpPacket whole = parts->packet;
  whole_ = std::move(parts->octets);
  whole_.resize(*parts->size);
  packets_.erase(parts);
  whole.payload = whole_;
  whole.cut = 0;
  whole.fragment = whole.more_fragments = false;
  whole.fragment_offset = 0;
  return whole;
}

}  // namespace smtpscope
