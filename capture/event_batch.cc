#include "capture/event_batch.h"

#include <cassert>
#include <variant>

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
  return texts_size(event);
}

bool EventBatch::add(const WireEvent& event) {
  if (events_.size() == kMostEvents) return false;
  if (octets_needed(event) > kMostOctets - octets_.size()) return false;
  WireEvent& copy = events_.emplace_back(event);
  if (auto* bytes = std::get_if<Bytes>(&copy.body)) {
    bytes->head = octets_.keep(bytes->head);
    if (bytes->instead) bytes->instead = octets_.keep(*bytes->instead);
  } else {
    visit_texts(copy, [&](std::string_view& text) { text = octets_.keep(text); });
  }
  return true;
}

void EventBatch::clear() {
  events_.clear();
  octets_.clear();
}

}  // namespace smtpscope
