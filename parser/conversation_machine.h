#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "parser/barrier.h"
#include "parser/capabilities.h"
#include "parser/conversation.h"
#include "parser/covered_texts.h"
#include "parser/held_octets.h"
#include "parser/item.h"
#include "parser/line_reader.h"
#include "parser/message_scanner.h"
#include "parser/pending_message.h"
#include "parser/pending_replies.h"
#include "parser/reply_assembler.h"
#include "parser/tls_handshakes.h"
#include "parser/tls_record_reader.h"

namespace smtpscope {

/// The part of an item that may be credentials, counted from the item's beginning.
struct SecretPart {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// What works behind Conversation; conversation.cc tells its theory of operation. The member
/// functions lie in files by idea: conversation.cc (pump), conversation_commands.cc (the side that
/// commands), conversation_replies.cc (the side that replies, and what a reply changes),
/// conversation_recovery.cc (gaps and ends), conversation_tls.cc. Not thread-safe.
class ConversationMachine {
 public:
  explicit ConversationMachine(Conversation::Start start);

  void tell_headlines(std::uint64_t octets) { headline_octets_ = octets; }
  void see_inside_tls() { sees_inside_tls_ = true; }
  void receive(Side side, std::span<const std::uint8_t> octets);
  void left_out(Side side, std::uint64_t n, const MessageScanner& after);
  void gap(Side side, std::uint64_t n);
  void tls_opened(Side side);
  void eof(Side side);
  void finish();
  const Item* next();

  Conversation::Phase phase() const;
  Side commanding_side() const { return commander_; }
  std::uint32_t owed() const;
  bool fate_open() const;
  const Capabilities& capabilities() const { return capabilities_; }
  bool secret_pending() const;
  std::vector<StreamRange> undecided(Side side) const;
  std::span<const StreamRange> overwritten() const;
  const MessageScanner* scanner() const;
  bool may_leave_out() const;
  std::uint64_t received(Side side) const { return streams_[index(side)].received; }
  std::uint64_t itemised(Side side) const { return streams_[index(side)].item_begin; }

 private:
  /// What the next octet of the commanding side is.
  enum class Mode : std::uint8_t {
    kPrelude,      // the stream's first: a PROXY header or a command; held until known
    kProxyHeader,  // the rest of a PROXY v2 header
    kCommands,
    kAuthResponse,
    kMailData,
    kChunk,
    kBlob,
    kUndecided,  // behind the barrier: held until the reply
  };

  /// Lines are skipped as Junk until one makes sense again.
  enum class Skip : std::uint8_t { kNothing, kMidSession, kAfterGap };

  /// One TCP side, whatever its role.
  struct Stream {
    std::uint64_t received = 0;    // offset behind the last octet handed in
    std::uint64_t at = 0;          // of the next octet to parse; from there octets are held
    std::uint64_t item_begin = 0;  // of the first octet that is in no item yet
    LineReader line;
    TlsRecordReader tls;
    bool opaque = false;         // TLS records from here on
    bool fresh = true;           // its next octet may be the first of a TLS connection
    bool may_turn_back = false;  // opaque because of one octet, which is no proof
    bool after_gap = false;      // the next item is the first one after a gap
    Skip skip = Skip::kNothing;
    bool skipped_a_line = false;
  };

  /// Counted octets announced by a command: of a chunk, a blob.
  struct Counted {
    Exchange exchange = 0;
    std::uint64_t declared = 0;
    std::uint64_t left = 0;
    std::uint64_t missing = 0;
    bool last = false;
  };

  /// What is done next apart from reading octets.
  enum class Event : std::uint8_t { kNone, kGap, kTlsOpened, kEof, kFinish };

  Stream& stream(Side side) { return streams_[index(side)]; }
  const Stream& stream(Side side) const { return streams_[index(side)]; }
  Stream& commands() { return stream(commander_); }
  const Stream& commands() const { return stream(commander_); }
  Side replier() const { return other(commander_); }
  Stream& replies() { return stream(replier()); }

  // The pump.
  bool held_can_go() const;
  bool settle();
  std::size_t step(Side side, std::span<const std::uint8_t> octets);
  /// Makes the item of `side` that ends at `end`; the body is still to be put in.
  Item& emit(Side side, std::uint64_t end);
  void emit_junk(Side side, std::uint64_t end, JunkReason reason, std::string_view text,
                 std::uint16_t flags, SecretPart secret = {});

  // Credentials (conversation_secrets.cc).
  void learn(std::string_view credentials);
  void learn_if_clear(std::string_view text);
  void note_challenge(std::string_view text);
  void expect_response();
  void judge_long_line();
  CoveredTexts& covered();
  std::string_view show_command(std::string_view text, std::uint64_t begin, std::uint16_t& flags);
  std::vector<TextRange> repeated_in(std::string_view line, std::uint64_t begin,
                                     bool unfinished) const;
  Line show_reply(const Line& line);
  void give_covered();
  bool answers_login() const;
  bool command_pending() const;
  bool reply_pending() const;

  // The side that commands.
  std::size_t step_command(std::span<const std::uint8_t> octets);
  std::size_t step_prelude(std::span<const std::uint8_t> octets);
  std::size_t step_line(std::span<const std::uint8_t> octets);
  std::size_t step_mail_data(std::span<const std::uint8_t> octets);
  std::size_t step_counted(std::span<const std::uint8_t> octets);
  std::size_t step_undecided(std::span<const std::uint8_t> octets);
  void begin_line();
  void on_line(const Line& line);
  void on_auth_response(const Line& line);
  void join_message(const Line& line);
  void on_proxy_line(const Line& line, bool local);
  void on_command(const Line& line, Verb verb);
  static SecretPart find_secret(const Line& line, bool suspect);
  void skip_line(const Line& line);
  void suspect_line(const Line& line);
  std::uint16_t take_line_flags();
  void follow_up(Verb verb, std::string_view arguments, Exchange exchange);
  void raise(Barrier::Kind kind);
  void begin_mail_data(bool assumed);
  void begin_chunk();
  void end_mail_data(DataEnd how, std::uint64_t end, const MessageFacts& facts, bool owes);
  Exchange owe_end_of_data();
  void end_counted(bool complete);
  void overflow();

  // The side that replies.
  std::size_t step_reply(std::span<const std::uint8_t> octets);
  void on_reply_line(const Line& line);
  void conclude_reply();
  bool believe_held(int code);
  bool settle_mail_data(int code);
  static void fill_in(Reply& reply, const PendingReplies::Answered& answered);
  void attribute(Reply& reply);
  bool greeting_is_missing(const Reply& reply) const;
  void answer_nothing(Reply& reply);
  void apply(const Reply& reply, const PendingReplies::Answered& answered);
  void release(int code);
  void grant();
  void refuse(bool suspicious);
  void leave_barrier();
  void settle_recipients();
  void forget_hello();
  void read_hello(const Reply& reply, Verb verb);
  void swap_roles();

  // Gaps and ends.
  void advance_event();
  bool flush_before_gap(Side side);
  bool flush_commands_before_gap();
  bool flush_replies_before_gap();
  void emit_held_as_junk(JunkReason reason);
  void pass_gap(Side side, std::uint64_t n);
  void pass_gap_in_commands(std::uint64_t n);
  void begin_skipping();
  bool flush_at_end(Side side);
  bool flush_commands_at_end();
  bool flush_replies_at_end();
  bool decide_at_finish();
  void decide_when_held_tell();
  void decide_by_held();

  // TLS.
  void go_opaque();
  bool flush_before_tls(Side side);
  void see_through(Side side);
  void expect_tls_of(Side side);
  std::size_t step_tls(Side side, std::span<const std::uint8_t> octets);
  std::size_t step_not_tls(Side side, std::span<const std::uint8_t> octets);
  void emit_tls_record(Side side);
  void take_handshake(Side side, std::span<const std::uint8_t> fragment);
  void emit_not_tls(Side side, const Line& line);
  bool goes_on_in_the_clear(Side side, const Line& line) const;

  Stream streams_[2];
  Side commander_ = Side::kClient;
  Mode mode_ = Mode::kPrelude;
  Barrier barrier_;

  // What the session agreed on.
  Capabilities capabilities_;
  bool offers_chunking_ = false;    // or it is not known
  bool offers_pipelining_ = false;  // or it is not known
  bool offers_prdr_ = false;
  bool lmtp_ = false;
  bool greeted_oddly_ = false;  // a line without a code came where the greeting was due
  bool sees_inside_tls_ = false;
  std::uint64_t headline_octets_ = 0;
  bool prdr_ = false;           // the transaction's MAIL asked for it
  std::uint32_t accepted_ = 0;  // recipients of the transaction

  std::unique_ptr<TlsHandshakes> handshakes_;  // while one can be read

  PendingReplies pending_;
  ReplyAssembler reply_;
  std::unique_ptr<PendingMessage> message_;  // while one is being read
  std::unique_ptr<const PendingMessage>
      shown_message_;  // into which the item given last has a view
  Counted counted_;
  bool proxy_local_ = false;

  // Octets that wait.
  HeldOctets held_;
  Side held_side_ = Side::kClient;
  bool emit_overflow_ = false;      // the reply came; what overflowed becomes an item
  bool held_first_ = false;         // held octets go before the reply that is complete
  std::uint64_t early_until_ = 0;   // octets before came while a barrier stood
  std::uint64_t waited_until_ = 0;  // octets before came while a reply was owed

  // The line being read on the commanding side.
  std::uint32_t line_pending_ = 0;
  std::uint16_t line_flags_ = 0;
  std::uint8_t line_marks_ = 0;
  bool last_line_bare_lf_ = false;
  std::optional<Verb> unfinished_;  // the client closed inside a line; it may be answered
  bool suspicion_ = false;          // lines without a known verb may be AUTH responses
  bool unasked_ = false;           // in kAuthResponse: for a 334 that answers no AUTH that was seen
  bool long_line_secret_ = false;  // what is kept of the line, which is longer, holds credentials
  bool name_expected_ = false;     // the next response, if it has no structure, is a name
  std::unique_ptr<CoveredTexts> covered_;  // once credentials were seen

  // Input, and what next() gave.
  std::span<const std::uint8_t> input_;
  Side input_side_ = Side::kClient;
  Event event_ = Event::kNone;
  Side event_side_ = Side::kClient;
  std::uint64_t event_octets_ = 0;
  bool has_item_ = false;
  std::unique_ptr<Item> item_;  // only while there is input
};

}  // namespace smtpscope
