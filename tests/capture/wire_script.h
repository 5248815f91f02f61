#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/octets.h"
#include "capture/event_copy.h"
#include "capture/sanitizer.h"
#include "capture/wire_event.h"
#include "tests/parser/dialogue.h"

namespace smtpscope::test {

/// Keeps copies of what it is given.
class EventKeeper : public WireSink {
 public:
  void on_wire(const WireEvent& event) override { events.emplace_back(event); }

  std::vector<EventCopy> events;
};

/// Writes down what a Sanitizer tells of a session: each event without its octets, and each item
/// with all it holds.
class ItemLog : public ItemSink {
 public:
  struct Secret {
    Side side = Side::kClient;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  void on_event(const WireEvent& event, const Conversation& conversation) override;
  void on_item(const Item& item, const Conversation& conversation) override;
  void on_event_done(const WireEvent& event, const Conversation& conversation) override;

  std::vector<std::string> lines;
  std::vector<Secret> secrets;
};

/// The script as raw wire events of session 1, the octets of its steps in pieces of at most
/// `piece()`, ended by SessionEnded.
std::vector<EventCopy> wire_events(const Script& script, const std::function<std::size_t()>& piece);
/// The same, one read per step.
std::vector<EventCopy> wire_events(const Script& script);

/// What came of a session that went through a Sanitizer.
struct Sanitized {
  std::vector<EventCopy> events;
  ItemLog log;
};
Sanitized sanitized(const std::vector<EventCopy>& raw, SanitizerPolicy policy,
                    bool mid_session = false);

/// The events of a side's stream as one text, each hole as "<N>"; gaps are left out.
std::string visible(const std::vector<EventCopy>& events, Side side);

/// The lines, for a message of Catch2.
std::string joined(const std::vector<std::string>& lines);

}  // namespace smtpscope::test
