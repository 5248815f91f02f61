#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/event_copy.h"
#include "capture/sanitizer.h"
#include "capture/wire_event.h"
#include "redact/command_redactor.h"
#include "redact/content_redactor.h"
#include "redact/pseudonyms.h"
#include "redact/reply_redactor.h"
#include "redact/side_stream.h"

namespace smtpscope {

/// Rewrites the wire events of one session: as many events, with the same times, and octets that
/// parse as before but name nobody. The Conversation says what the octets are; an event waits, and
/// the later ones of the session with it, until that is known of all of its octets, or until they
/// take more than kMaxHeld octets of memory: then what is undecided is treated as text.
///
/// Bounded memory, but for what Pseudonyms remembers. Not thread-safe.
class SessionRedactor : private ItemSink {
 public:
  static constexpr std::size_t kMaxHeld = std::size_t{4} * 1024 * 1024;

  /// `names` and `out` must outlive it.
  SessionRedactor(Pseudonyms& names, BodyPolicy policy, WireSink& out, bool mid_session);

  /// The next event of the session. Nothing comes after SessionEnded.
  void feed(const WireEvent& event);
  /// A gap of the whole run, which is not an event of this session: everything before it is handed
  /// on first.
  void pass_gap_of_run(const WireEvent& gap);
  /// Nothing more comes, although the session has not ended: what waits is handed on.
  void finish();

 private:
  /// An event that waits, and where its octets begin.
  struct Waiting {
    EventCopy event;
    std::uint64_t at = 0;
    std::uint64_t content_from = 0;  // octets from here to a hole are content
  };

  void on_event(const WireEvent&, const Conversation&) override {}
  void on_item(const Item& item, const Conversation& conversation) override;
  void on_event_done(const WireEvent& event, const Conversation& conversation) override;

  void append(const Bytes& bytes);
  void wait(const WireEvent& event);
  void decide_content(bool all);
  void decide_everything();
  void release(bool all);

  void rewrite_item(const Item& item, std::string_view octets, std::uint64_t at, Rewriting& out);
  void rewrite_lines(const Item& item, std::string_view octets, std::uint64_t at, Rewriting& out);
  void rewrite_reply(const Item& item, std::string_view octets, std::uint64_t at, Rewriting& out);
  void rewrite_unknown(Side side, std::string_view octets, Rewriting& out);
  ContentRedactor& content(bool counted);
  void end_message(const Item& item);

  void emit(const Waiting& waiting);
  void emit_bytes(const Waiting& waiting, const Bytes& bytes);
  void emit_aside(const Waiting& waiting, const Bytes& bytes);
  std::string rewritten_lines(Side from, std::string_view octets);
  LeftOut rewritten(const LeftOut& hole);
  std::shared_ptr<const TlsFacts> rewritten(const TlsFacts& facts);
  SideStream& stream(Side side) { return streams_[index(side)]; }

  Pseudonyms& names_;
  const BodyPolicy policy_;
  WireSink& out_;
  CommandRedactor commands_{names_};
  ReplyRedactor replies_{names_};
  TextRedactor texts_{names_};
  std::optional<ContentRedactor> content_;
  std::array<SideStream, 2> streams_;
  std::deque<Waiting> waiting_;
  std::size_t held_ = 0;  // memory of waiting_, in octets
  Sanitizer sanitizer_;
};

}  // namespace smtpscope
