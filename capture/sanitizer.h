#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "capture/event_copy.h"
#include "capture/wire_event.h"
#include "parser/conversation.h"
#include "parser/item.h"

namespace smtpscope {

class MessageLimit;

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
struct SanitizerPolicy {
  bool keep_credentials = false;
  static constexpr std::uint64_t kEverything = ~std::uint64_t{0};
  std::uint64_t message_octets = kEverything;  // of each message, kept verbatim
  /// Of each message, from which its headline is told: those of which everybody who sees the items
  /// may see the octets as well. Live and from file the same, so that both tell the same.
  std::uint64_t headline_octets = 0;
};

/// The one place where octets are parsed, and where secrets are masked and messages bounded
/// before anything is written. One per session, live and from file alike; owns the Conversation.
/// Raw wire events in; out go the items (to `items`) and the screened wire events (to `record`).
/// A Conversation that is fed the screened events gives the same items as one that is fed the raw
/// ones, with the credentials' octets being '#'.
///
/// Events that may hold credentials not yet recognised are held back from `record` (with all
/// later ones of the session, so order stays) until the Conversation knows, or until they take
/// more than kMaxHeld octets of memory: then what is undecided is masked. To read what was
/// screened before, keep credentials and everything. Not thread-safe.
class Sanitizer {
 public:
  static constexpr std::size_t kMaxHeld = 1024 * 1024;

  /// Either sink may be nullptr; both must outlive the sanitizer.
  Sanitizer(SanitizerPolicy policy, WireSink* record, ItemSink* items, bool mid_session = false);
  ~Sanitizer();
  Sanitizer(const Sanitizer&) = delete;
  Sanitizer& operator=(const Sanitizer&) = delete;

  /// The next event of the session. Nothing comes after SessionEnded.
  void feed(const WireEvent& event);
  /// A gap of the whole run: it concerns the session, but is recorded for the run, not for it.
  /// What is held back is masked as far as it is undecided, and recorded first.
  void pass_gap_of_run(const WireEvent& gap);
  /// The record ends here although the session has not: what is held back goes into it, masked as
  /// far as it is undecided.
  void let_go();

  const Conversation& conversation() const { return conversation_; }
  /// Not all that was fed is in the record yet.
  bool holds_back() const { return held_ != nullptr; }

 private:
  /// What was found in an event on its way through the Conversation.
  struct Findings {
    std::vector<StreamRange> secrets[2];  // per side, in order
    MessageLimit* limit = nullptr;
  };
  struct Held;

  void parse(const WireEvent& event, Findings& findings);
  void parse_bytes(const Bytes& bytes, Findings& findings);
  void left_out(Side from, const LeftOut& hole, Findings& findings);
  void drain(Findings& findings);
  void write_down(const WireEvent& event, std::uint64_t at, const Findings& findings);
  void hold(EventCopy event, std::uint64_t at);
  void mask_undecided();
  void release();

  SanitizerPolicy policy_;
  WireSink* record_;
  ItemSink* items_;
  Conversation conversation_;
  std::unique_ptr<Held> held_;  // while events are held back
};

}  // namespace smtpscope
