#include "capture/event_batch.h"

#include <cassert>
#include <variant>

#include "base/octets.h"
#include "capture/event_texts.h"

namespace smtpscope {

EventBatch::EventBatch() {
  events_.reserve(kMostEvents);
  octets_.reserve(kMostOctets);
}

std::size_t EventBatch::octets_needed(const WireEvent& event) {
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    assert(!bytes->left_out && bytes->masked.empty());
    return bytes->head.size() + (bytes->instead ? bytes->instead->size() : 0);
  }
  std::size_t sum = 0;
  visit_texts(event, [&](std::string_view text) { sum += text.size(); });
  return sum;
}

bool EventBatch::add(const WireEvent& event) {
  if (events_.size() == kMostEvents) return false;
  if (octets_needed(event) > kMostOctets - octets_.size()) return false;
  WireEvent& copy = events_.emplace_back(event);
  if (auto* bytes = std::get_if<Bytes>(&copy.body)) {
    bytes->head = keep(bytes->head);
    if (bytes->instead) bytes->instead = keep(*bytes->instead);
  } else {
    visit_texts(copy, [&](std::string_view& text) { text = keep(text); });
  }
  return true;
}

void EventBatch::clear() {
  events_.clear();
  octets_.clear();
}

std::string_view EventBatch::keep(std::string_view text) { return text_of(keep(octets_of(text))); }

std::span<const std::uint8_t> EventBatch::keep(std::span<const std::uint8_t> octets) {
  const std::size_t at = octets_.size();
  octets_.insert(octets_.end(), octets.begin(), octets.end());
  return std::span(octets_).subspan(at);
}

}  // namespace smtpscope
