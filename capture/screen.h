#pragma once

#include <cstdint>
#include <memory>

#include "capture/wire_event.h"
#include "parser/conversation.h"
#include "parser/item.h"

namespace smtpscope {

/// Takes what one session's octets mean: the wire events in order (their octets are for counting
/// only: they are not masked), and after each event the items that it completed.
class ItemSink {
 public:
  virtual ~ItemSink() = default;
  virtual void on_event(const WireEvent& event, const Conversation& conversation) = 0;
  virtual void on_item(const Item& item, const Conversation& conversation) = 0;
  /// After the last item of an event.
  virtual void on_event_done(const WireEvent& event, const Conversation& conversation) = 0;
};

/// How much of what is private or large goes into a capture.
struct ScreenPolicy {
  bool keep_credentials = false;
  static constexpr std::uint64_t kEverything = ~std::uint64_t{0};
  std::uint64_t message_octets = kEverything;  // of each message, kept verbatim
};

/// The one place where octets are parsed, and where secrets are masked and messages bounded
/// before anything is written. One per session, live and from file alike; owns the Conversation.
/// Raw wire events in; out go the items (to `items`) and the screened wire events (to `record`).
/// Events that may hold credentials not yet recognised are held back from `record` (with all
/// later ones of the session, so order stays) until the Conversation knows. Not thread-safe.
class Screen {
 public:
  /// Either sink may be nullptr; both must outlive the screen.
  Screen(ScreenPolicy policy, WireSink* record, ItemSink* items, bool mid_session = false);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void feed(const WireEvent& event);

  const Conversation& conversation() const;
};

}  // namespace smtpscope
