// The side that replies, and what a reply changes.

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "parser/conversation_machine.h"

namespace smtpscope {
namespace {

/// The server ends the session (RFC 5321 3.8, RFC 7504 3).
constexpr bool ends_session(int code) { return code == 421 || code == 521; }

/// A reply with this code may be the answer to a whole message.
constexpr bool decides_message(int code) {
  const int digit = code / 100;
  return (digit == 2 || digit == 4 || digit == 5) && !ends_session(code);
}

}  // namespace

std::size_t ConversationMachine::step_reply(std::span<const std::uint8_t> octets) {
  Stream& s = replies();
  std::size_t taken = 0;
  const std::optional<Line> line = s.line.read(octets, taken);
  s.at += taken;
  if (line) on_reply_line(*line);
  return taken;
}

void ConversationMachine::on_reply_line(const Line& read) {
  Stream& s = replies();
  const Line line = show_reply(read);
  if (reply_.add(line, s.at)) {
    s.skip = Skip::kNothing;
  } else if (s.skip != Skip::kNothing) {
    emit_junk(replier(), s.at,
              s.skip == Skip::kMidSession ? JunkReason::kMidSession : JunkReason::kResync,
              line.text, line.flags);
  } else {
    // It answers nothing, for a reply begins with a code (RFC 5321 4.2); but it may stand for the
    // greeting (greeting_is_missing()).
    if (!pending_.empty() && pending_.oldest().answers == Answers::kGreeting) greeted_oddly_ = true;
    Item& item = emit(replier(), s.at);
    give_covered();
    item.body = GarbageLine{line.text, line.flags, line.ending};
  }
}

/// The whole reply is here: it becomes an item, and does its work.
void ConversationMachine::conclude_reply() {
  const int code = reply_.code();
  // One that the end of the stream cut short is not counted; one that a gap cut short is, for its
  // rest is in the gap.
  const bool counts = !reply_.was_cut() || event_ == Event::kGap;
  if (counts && believe_held(code)) return;
  if (counts && settle_mail_data(code)) return;

  Item& item = emit(replier(), reply_.end());
  give_covered();
  Reply& reply = item.body.emplace<Reply>();
  reply_.describe(reply);
  if (replies().after_gap) reply.flags |= kAfterGap;
  replies().after_gap = false;
  reply_.conclude();
  if (counts) {
    attribute(reply);
  } else if (!pending_.empty()) {
    fill_in(reply, pending_.oldest());
    reply.owed_after = pending_.owed();
  } else {
    reply.answers = Answers::kOrphan;
    reply.exchange = kNoExchange;
  }
}

/// A 2yz cannot answer DATA. If the reply to DATA may have been lost in a gap, it was.
bool ConversationMachine::believe_held(int code) {
  if (!barrier_.reply_may_be_lost || mode_ != Mode::kUndecided ||
      barrier_.kind != Barrier::Kind::kData || code / 100 != 2 || held_.empty() ||
      pending_.empty() || pending_.oldest().verb != Verb::kData) {
    return false;
  }
  pending_.void_all();
  barrier_.reply_may_be_lost = false;
  begin_mail_data(true);
  held_first_ = true;
  return true;
}

/// Mail data is being read, and a reply comes although none is owed: the server has taken something
/// else (LF.LF …) for the end of data. True when that made an item, which goes before the reply.
bool ConversationMachine::settle_mail_data(int code) {
  if (mode_ != Mode::kMailData || !pending_.empty() || !decides_message(code) ||
      message_->refused || message_->answered != kNoExchange) {
    return false;
  }
  PendingMessage::ResyncPoint* const point = message_->resync_point();
  if (point == nullptr) {
    message_->answered = owe_end_of_data();
    return false;
  }
  Stream& s = commands();
  const std::uint64_t tail_begin = point->tail_begin;
  const bool gap = point->how == DataEnd::kGap;
  held_.assign(std::move(point->tail));
  held_side_ = commander_;
  waited_until_ = s.received;
  end_mail_data(point->how, point->end, point->facts, true);
  s.at = s.item_begin = tail_begin;
  if (gap) begin_skipping();
  return true;
}

void ConversationMachine::fill_in(Reply& reply, const PendingReplies::Answered& answered) {
  reply.answers = answered.answers;
  reply.verb = answered.verb;
  reply.exchange = answered.exchange;
  reply.ordinal = answered.ordinal;
}

void ConversationMachine::attribute(Reply& reply) {
  constexpr std::uint16_t kChallenge = 334;
  if (reply.code == kChallenge) note_challenge(reply.last_text());
  if (pending_.empty()) {
    answer_nothing(reply);
    if (reply.code == kChallenge) expect_response();
    return;
  }
  if (greeting_is_missing(reply)) pending_.take();
  const PendingReplies::Answered oldest = pending_.oldest();
  // PRDR: a 353 announces one reply per recipient and a final one.
  const bool ends_message =
      oldest.answers == Answers::kEndOfData || (oldest.marks & PendingReplies::kLastChunk) != 0;
  if (reply.code == 353 && prdr_ && ends_message && oldest.ordinal == 0 && oldest.last) {
    pending_.set_oldest(accepted_ + 2);
  }
  const PendingReplies::Answered answered = pending_.take();
  fill_in(reply, answered);
  // What is owed besides will not be answered any more (421: RFC 5321 3.8, 521: RFC 7504 3).
  if (ends_session(reply.code)) pending_.void_all();
  apply(reply, answered);
  settle_recipients();
  reply.owed_after = pending_.owed();
  if (mode_ == Mode::kUndecided && pending_.empty()) release(reply.code);
  if (reply.code == kChallenge) expect_response();
}

/// The greeting is still owed, and this reply is not it: it answers the first command. RFC 5321
/// 4.3.2 knows 220, 421 and 554 as greetings. Without a sign a reply is the greeting, as odd as its
/// code may be; a sign is a line without a code that stood in its place, or a client that has said
/// EHLO and is answered with what only EHLO gets.
bool ConversationMachine::greeting_is_missing(const Reply& reply) const {
  if (pending_.oldest().answers != Answers::kGreeting || pending_.owed() < 2) return false;
  if (reply.code == 220 || reply.code == 554 || ends_session(reply.code)) return false;
  if (greeted_oddly_) return true;
  const Verb first = pending_.second().verb;
  return reply.code == 250 &&
         (first == Verb::kEhlo || first == Verb::kHelo || first == Verb::kLhlo);
}

void ConversationMachine::answer_nothing(Reply& reply) {
  reply.answers = ends_session(reply.code) ? Answers::kUnsolicited : Answers::kOrphan;
  reply.exchange = kNoExchange;
  if (reply.answers == Answers::kOrphan && unfinished_) {
    // Servers answer a last line without its CRLF, too: many read to the end of the stream.
    reply.answers = Answers::kCommand;
    reply.verb = *std::exchange(unfinished_, std::nullopt);
  }
  if (mode_ == Mode::kAuthResponse && reply.first_digit() != 3) {
    // The server gave up waiting: the next line may be a command, or the response on its way.
    mode_ = Mode::kCommands;
    suspicion_ = true;
  }
  Stream& s = commands();
  if (s.skip == Skip::kMidSession && mode_ == Mode::kCommands && s.line.empty() && !s.opaque) {
    // The trace began between a command and its reply: what comes now is known all the same.
    if (reply.code == 354) begin_mail_data(false);
    if (reply.first_digit() == 3) s.skip = Skip::kNothing;
  }
}

/// What a reply changes, besides the queue.
void ConversationMachine::apply(const Reply& reply, const PendingReplies::Answered& answered) {
  if (answered.last && (answered.answers == Answers::kEndOfData ||
                        (answered.marks & PendingReplies::kLastChunk) != 0)) {
    // The buffers are cleared whatever the answer (RFC 5321 4.1.1.4).
    accepted_ = 0;
    prdr_ = false;
  }
  if (answered.answers != Answers::kCommand) return;
  if (answered.verb == Verb::kData && message_ && message_->awaits_data_reply) {
    message_->awaits_data_reply = false;
    message_->early_until = commands().received;
    message_->refused = reply.first_digit() != 3;
  }
  if (reply.first_digit() != 2) return;
  switch (answered.verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      read_hello(reply, answered.verb);
      return;
    case Verb::kXclient:
      forget_hello();
      return;
    case Verb::kMail:
      accepted_ = 0;
      prdr_ = (answered.marks & PendingReplies::kPrdr) != 0;
      return;
    case Verb::kRcpt:
      ++accepted_;
      return;
    case Verb::kRset:
      accepted_ = 0;
      prdr_ = false;
      return;
    default:
      return;
  }
}

void ConversationMachine::read_hello(const Reply& reply, Verb verb) {
  forget_hello();
  lmtp_ = verb == Verb::kLhlo;
  if (verb == Verb::kHelo) return;
  capabilities_.read(reply);
  // What a gap cut off the reply may have offered anything.
  offers_chunking_ = !reply.complete || capabilities_.has("CHUNKING");
  offers_pipelining_ = !reply.complete || capabilities_.has("PIPELINING");
  offers_prdr_ = capabilities_.has("PRDR");
}

void ConversationMachine::forget_hello() {
  capabilities_.clear();
  offers_chunking_ = offers_pipelining_ = offers_prdr_ = false;
  accepted_ = 0;
  prdr_ = false;
}

/// The oldest element may be a last chunk in LMTP. All recipients before it are decided now, so it
/// is known how many replies it gets (RFC 2033 4.2), possibly none.
void ConversationMachine::settle_recipients() {
  while (lmtp_ && !pending_.empty()) {
    const PendingReplies::Answered oldest = pending_.oldest();
    if ((oldest.marks & PendingReplies::kLastChunk) == 0 || oldest.ordinal > 0) return;
    pending_.set_oldest(accepted_);
    if (accepted_ > 0) return;
  }
}

/// The reply to the command at the barrier is here.
void ConversationMachine::release(int code) {
  early_until_ = commands().received;
  if (barrier_.granted_by(code)) {
    grant();
  } else {
    refuse(code / 100 != 2 || !held_.empty());
  }
}

/// The octets behind the barrier are what its command was meant to be followed by.
void ConversationMachine::grant() {
  const Barrier::Kind kind = barrier_.kind;
  const bool lost_track = barrier_.lost_track();
  leave_barrier();
  switch (kind) {
    case Barrier::Kind::kData:
      begin_mail_data(false);
      break;
    case Barrier::Kind::kChunk:
      begin_chunk();
      break;
    case Barrier::Kind::kAuth:
      suspicion_ = lost_track;
      if (lost_track) begin_skipping();
      if (!lost_track) {
        mode_ = Mode::kAuthResponse;
        unasked_ = false;
      }
      break;
    case Barrier::Kind::kBlob:
      if (lost_track) begin_skipping();
      if (!lost_track) mode_ = Mode::kBlob;
      break;
    case Barrier::Kind::kStartTls:
      forget_hello();
      lmtp_ = false;
      go_opaque();
      break;
    case Barrier::Kind::kTurn:
      swap_roles();
      break;
    case Barrier::Kind::kNone:
      assert(false);
      break;
  }
  barrier_.forget_gap();
}

/// The octets behind the barrier are commands. `suspicious`: they may also be AUTH responses of a
/// client that did not wait.
void ConversationMachine::refuse(bool suspicious) {
  if (barrier_.kind == Barrier::Kind::kAuth && suspicious) suspicion_ = true;
  if (barrier_.lost_track()) begin_skipping();
  leave_barrier();
  barrier_.forget_gap();
}

void ConversationMachine::leave_barrier() {
  emit_overflow_ = barrier_.overflowed;
  barrier_.overflowed = false;
  barrier_.reply_may_be_lost = false;
  barrier_.kind = Barrier::Kind::kNone;
  mode_ = Mode::kCommands;
}

/// RFC 2645 5: the peer that was the client greets now, and the one that was the server commands.
void ConversationMachine::swap_roles() {
  commander_ = other(commander_);
  if (covered_ != nullptr) covered_->since = replies().at;
  forget_hello();
  lmtp_ = false;
  early_until_ = waited_until_ = 0;
  suspicion_ = last_line_bare_lf_ = false;
  message_.reset();
  pending_.add(Answers::kGreeting, Verb::kUnknown);
}

}  // namespace smtpscope
