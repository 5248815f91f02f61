#include "capture/event_copy.h"

#include <algorithm>

#include "capture/event_texts.h"

namespace smtpscope {
namespace {

std::size_t storage_size(const WireEvent& event) {
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    std::size_t sum = bytes->head.size() + bytes->tail.size();
    if (bytes->instead) sum += bytes->instead->size();
    for (const FurtherPart& part : bytes->further) sum += part.octets.size();
    return sum + bytes->scenario.size();
  }
  return texts_size(event);
}

}  // namespace

EventCopy::EventCopy(const WireEvent& original) : event_(original) {
  storage_.reserve(storage_size(original));
  if (auto* bytes = std::get_if<Bytes>(&event_.body)) {
    bytes->head = storage_.keep(bytes->head);
    bytes->tail = storage_.keep(bytes->tail);
    further_.assign(bytes->further.begin(), bytes->further.end());
    for (FurtherPart& part : further_) part.octets = storage_.keep(part.octets);
    bytes->further = further_;
    if (bytes->instead) bytes->instead = storage_.keep(*bytes->instead);
    bytes->scenario = storage_.keep(bytes->scenario);
    masks_.assign(bytes->masked.begin(), bytes->masked.end());
    bytes->masked = masks_;
  } else {
    visit_texts(event_, [&](std::string_view& text) { text = storage_.keep(text); });
  }
}

void EventCopy::mask(std::uint64_t at, std::span<const StreamRange> secrets, bool spare_line_ends) {
  Bytes& bytes = std::get<Bytes>(event_.body);
  const std::size_t masks_before = masks_.size();
  std::size_t present = 0;  // offset in storage_ of the octet at stream offset `at`
  const auto pass = [&](std::size_t octets) {
    const std::uint64_t part_end = at + octets;
    auto secret = std::partition_point(secrets.begin(), secrets.end(),
                                       [&](const StreamRange& range) { return range.end <= at; });
    for (; secret != secrets.end() && secret->begin < part_end; ++secret) {
      const std::uint64_t begin = std::max(secret->begin, at);
      const std::uint64_t end = std::min(secret->end, part_end);
      mask_present(present + static_cast<std::size_t>(begin - at),
                   present + static_cast<std::size_t>(end - at), spare_line_ends);
    }
    at = part_end;
    present += octets;
  };
  pass(bytes.head.size());
  if (bytes.left_out) at += bytes.left_out->octets;
  pass(bytes.tail.size());
  for (const FurtherPart& part : further_) {
    at += part.left_out.octets;
    pass(part.octets.size());
  }
  if (masks_.size() == masks_before) return;
  join_masks();
  bytes.masked = masks_;
}

void EventCopy::mask_present(std::size_t offset, std::size_t end, bool spare_line_ends) {
  const auto spared = [&](std::size_t i) {
    return spare_line_ends && (storage_[i] == '\r' || storage_[i] == '\n');
  };
  while (offset < end) {
    std::size_t run = offset;
    while (run < end && !spared(run)) storage_[run++] = '#';
    if (run > offset) {
      masks_.push_back(
          {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(run - offset)});
    }
    offset = run;
    while (offset < end && spared(offset)) ++offset;
  }
}

/// Puts the masks in order and makes one of those that touch.
void EventCopy::join_masks() {
  std::sort(masks_.begin(), masks_.end(),
            [](const Masked& a, const Masked& b) { return a.offset < b.offset; });
  std::size_t kept = 0;
  for (const Masked& mask : masks_) {
    Masked* last = kept > 0 ? &masks_[kept - 1] : nullptr;
    if (last && mask.offset <= last->offset + last->octets) {
      last->octets =
          std::max(last->offset + last->octets, mask.offset + mask.octets) - last->offset;
    } else {
      masks_[kept++] = mask;
    }
  }
  masks_.resize(kept);
}

std::size_t EventCopy::size() const {
  return sizeof(*this) + storage_.reserved() + masks_.capacity() * sizeof(Masked) +
         further_.capacity() * sizeof(FurtherPart);
}

}  // namespace smtpscope
