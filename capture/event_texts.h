#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "capture/wire_event.h"

namespace smtpscope {

/// Calls `visit` with each text (a std::string_view) that an event's body points to, so that what
/// it points to can be measured or moved. The octets of Bytes are none of them.
template <typename Event, typename Visit>
void visit_texts(Event& event, const Visit& visit) {
  if (auto* opened = std::get_if<SessionOpened>(&event.body)) {
    visit(opened->client);
    visit(opened->listener);
    visit(opened->upstream);
    visit(opened->announced_by);
    visit(opened->route);
  } else if (auto* connected = std::get_if<UpstreamConnected>(&event.body)) {
    visit(connected->server);
  } else if (auto* failed = std::get_if<UpstreamFailed>(&event.body)) {
    visit(failed->reason);
  } else if (auto* gap = std::get_if<Gap>(&event.body)) {
    visit(gap->why);
  } else if (auto* closed = std::get_if<Closed>(&event.body)) {
    visit(closed->reason);
  } else if (auto* remark = std::get_if<Remark>(&event.body)) {
    visit(remark->text);
  }
}

/// Octets of all of them.
inline std::size_t texts_size(const WireEvent& event) {
  std::size_t sum = 0;
  visit_texts(event, [&](std::string_view text) { sum += text.size(); });
  return sum;
}

}  // namespace smtpscope
