#include "trace/wire_batch.h"

#include <string_view>
#include <variant>

#include "capture/event_texts.h"

namespace smtpscope {

void WireBatch::add(const WireEvent& event) {
  WireEvent& copy = events_.emplace_back(event);
  if (auto* bytes = std::get_if<Bytes>(&copy.body)) {
    keep(*bytes);
  } else {
    visit_texts(copy, [this](std::string_view& text) { text = memory_.keep(text); });
  }
}

void WireBatch::keep(Bytes& bytes) {
  bytes.head = memory_.keep(bytes.head);
  bytes.tail = memory_.keep(bytes.tail);
  bytes.masked = memory_.keep(bytes.masked);
  bytes.scenario = memory_.keep(bytes.scenario);
  // That nothing was handed on is something else than that all was.
  if (bytes.instead) bytes.instead = memory_.keep(*bytes.instead);
  if (bytes.further.empty()) return;
  auto& further = further_.emplace_back(bytes.further.begin(), bytes.further.end());
  for (FurtherPart& part : further) part.octets = memory_.keep(part.octets);
  bytes.further = further;
}

void WireBatch::clear() {
  events_.clear();
  further_.clear();
  memory_.clear();
}

}  // namespace smtpscope
