#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "capture/event_copy.h"
#include "capture/wire_event.h"
#include "redact/leak_check.h"
#include "redact/redactor.h"

namespace smtpscope::test {

/// Keeps wire events.
class EventList : public WireSink {
 public:
  void on_wire(const WireEvent& event) override { events_.emplace_back(event); }
  const std::vector<EventCopy>& events() const { return events_; }
  /// All octets of a side that are here, joined.
  std::string octets(Side side, SessionId session = 1) const;

 private:
  std::vector<EventCopy> events_;
};

inline constexpr std::string_view kTestKey = "a key for tests, of 32 octets ...";

/// `events` redacted in two passes, as the program does it, and checked for leaks.
struct Redacted {
  Redacted(const std::vector<EventCopy>& events, BodyPolicy policy,
           std::string_view key = kTestKey);

  Pseudonyms first;
  Pseudonyms names;
  EventList list;
  std::vector<Leak> leaks;
};

}  // namespace smtpscope::test
