// Theory of operation
// ===================
//
// Two streams of octets come in, in one order. The machine takes them as if they came octet by
// octet: what it does depends on the octets so far and on their order, never on how they were cut
// into reads. That is why any split gives the same items.
//
// The replying side is simple: lines become replies, and the oldest owed reply is what a reply
// answers (PendingReplies; RFC 2920 3.1 demands counting).
//
// The commanding side cannot be read alone. Its Mode says what its next octet is:
//
//   kPrelude ──► kCommands ──DATA, AUTH, STARTTLS, XEXCH50, TURN──► kUndecided
//      │            ▲  │                                               │
//      ▼            │  └─BDAT (CHUNKING offered)─► kChunk              │ the reply, as
//   kProxyHeader ───┤                                 │                │ Barrier judges it
//                   │◄────────────────────────────────┘                ▼
//                   │◄─ end of data ─ kMailData ◄──────────────── 354 to DATA
//                   │◄─ end of blob ─ kBlob ◄──────────────────── 3yz to XEXCH50
//                   │   kUndecided ◄─ line ─ kAuthResponse ◄───── 334 to AUTH
//                   │                 (opaque streams) ◄───────── 220 to STARTTLS
//                   └───────────────────────────────────────────── any other reply
//
// In kUndecided a barrier stands: octets are held. The barrier's command is always the last one
// in the queue, so the reply that empties the queue is its reply. It releases the held octets,
// which are then read before anything else, as they would have been had they come one by one.
//
// next() pumps until there is an item. Gaps, ends and what they leave unfinished are handled by
// the same pump, a step at a time (conversation_recovery.cc).

#include "parser/conversation.h"

#include <algorithm>
#include <cassert>

#include "parser/command_line.h"
#include "parser/conversation_machine.h"

namespace smtpscope {
namespace {

/// Stream offsets stay below this, whatever sizes of gaps a trace claims.
constexpr std::uint64_t kMaxOffset = std::uint64_t{1} << 62;

/// Goes from one conversation of a thread to the next, so that neither an idle one has one nor a
/// busy one allocates.
std::unique_ptr<Item>& spare_item() {
  static thread_local std::unique_ptr<Item> spare;
  return spare;
}

}  // namespace

ConversationMachine::ConversationMachine(Conversation::Start start) {
  if (start == Conversation::Start::kBeginning) {
    pending_.add(Answers::kGreeting, Verb::kUnknown);
    return;
  }
  mode_ = Mode::kCommands;
  offers_chunking_ = offers_pipelining_ = true;
  for (Stream& each : streams_) each.skip = Skip::kMidSession;
}

void ConversationMachine::receive(Side side, std::span<const std::uint8_t> octets) {
  assert(input_.empty() && event_ == Event::kNone);
  const std::uint64_t room = kMaxOffset - stream(side).received;
  input_ = octets.first(static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), room)));
  input_side_ = side;
  stream(side).received += input_.size();
}

void ConversationMachine::left_out(Side side, std::uint64_t n, const MessageScanner& after) {
  assert(input_.empty() && event_ == Event::kNone);
  Stream& s = stream(side);
  const bool in_message =
      side == commander_ && !s.opaque && held_.empty() && message_ &&
      (mode_ == Mode::kMailData || (mode_ == Mode::kChunk && n <= counted_.left && !after.ended()));
  if (!in_message) {
    gap(side, n);
    return;
  }
  n = std::min(n, kMaxOffset - s.received);
  message_->left_out(after);
  if (mode_ == Mode::kChunk) counted_.left -= n;
  s.received += n;
  s.at += n;
}

void ConversationMachine::gap(Side side, std::uint64_t n) {
  assert(input_.empty() && event_ == Event::kNone);
  event_ = Event::kGap;
  event_side_ = side;
  event_octets_ = std::min(n, kMaxOffset - stream(side).received);
}

void ConversationMachine::tls_opened(Side side) {
  assert(input_.empty() && event_ == Event::kNone);
  event_ = Event::kTlsOpened;
  event_side_ = side;
}

void ConversationMachine::eof(Side side) {
  assert(input_.empty() && event_ == Event::kNone);
  event_ = Event::kEof;
  event_side_ = side;
}

void ConversationMachine::finish() {
  assert(input_.empty() && event_ == Event::kNone);
  event_ = Event::kFinish;
}

const Item* ConversationMachine::next() {
  has_item_ = false;
  // The item given before is no longer looked at.
  for (Stream& each : streams_) each.line.recycle();
  reply_.recycle();
  held_.recycle();
  shown_message_.reset();

  while (!has_item_) {
    if (held_first_ && !held_can_go()) held_first_ = false;
    if (settle()) continue;
    if (reply_.complete() && !held_first_) {
      conclude_reply();
    } else if (held_can_go()) {
      held_.drop(step(held_side_, held_.octets()));
    } else if (!input_.empty()) {
      input_ = input_.subspan(step(input_side_, input_));
    } else if (event_ != Event::kNone) {
      advance_event();
    } else {
      if (item_ != nullptr) spare_item() = std::move(item_);
      return nullptr;
    }
  }
  return item_.get();
}

bool ConversationMachine::held_can_go() const {
  if (held_.empty()) return false;
  if (held_side_ != commander_ || commands().opaque) return true;
  return mode_ != Mode::kUndecided && mode_ != Mode::kPrelude;
}

/// Does what needs no further octet. True when something was done.
bool ConversationMachine::settle() {
  if (emit_overflow_) {
    emit_overflow_ = false;
    const Stream& s = stream(held_side_);
    emit_junk(held_side_, s.at, JunkReason::kOverflow, {}, 0, {0, s.at - s.item_begin});
    return true;
  }
  const bool counting =
      mode_ == Mode::kChunk || mode_ == Mode::kBlob || mode_ == Mode::kProxyHeader;
  if (counting && counted_.left == 0) {
    end_counted(true);
    return true;
  }
  if (mode_ == Mode::kMailData && message_->scanner().ended()) {
    end_mail_data(DataEnd::kStrict, commands().at, message_->facts(), true);
    return true;
  }
  return false;
}

std::size_t ConversationMachine::step(Side side, std::span<const std::uint8_t> octets) {
  Stream& s = stream(side);
  if (s.opaque) return step_tls(side, octets);
  if (s.fresh) {
    s.fresh = false;
    const bool may_change =
        side != commander_ || mode_ == Mode::kCommands || mode_ == Mode::kPrelude;
    if (may_change && begins_tls_record(octets.front())) {
      s.opaque = s.may_turn_back = true;  // until the second octet proves it (step_tls)
      return 0;
    }
  }
  return side == commander_ ? step_command(octets) : step_reply(octets);
}

Item& ConversationMachine::emit(Side side, std::uint64_t end) {
  Stream& s = stream(side);
  if (item_ == nullptr) item_ = std::move(spare_item());
  if (item_ == nullptr) item_ = std::make_unique<Item>();
  item_->side = side;
  item_->begin = s.item_begin;
  item_->end = end;
  item_->secret_begin = item_->secret_end = item_->begin;
  if (covered_ != nullptr) covered_->shown.clear();
  s.item_begin = end;
  has_item_ = true;
  return *item_;
}

void ConversationMachine::emit_junk(Side side, std::uint64_t end, JunkReason reason,
                                    std::string_view text, std::uint16_t flags, SecretPart secret) {
  Item& item = emit(side, end);
  if (secret.begin < secret.end) {
    item.secret_begin = item.begin + secret.begin;
    item.secret_end = item.begin + secret.end;
    // Nothing behind is told either, so that a masked copy gives the same item.
    text = text.substr(0, secret.begin);
    flags = odd_octets(text);
  } else if (side == commander_) {
    text = show_command(text, item.begin, flags);
  } else {
    give_covered();
  }
  item.body = Junk{reason, text, flags};
}

Conversation::Phase ConversationMachine::phase() const {
  using Phase = Conversation::Phase;
  if (commands().opaque && !commands().may_turn_back) return Phase::kTls;
  switch (mode_) {
    case Mode::kPrelude:
    case Mode::kProxyHeader:
    case Mode::kCommands:
      return Phase::kCommands;
    case Mode::kAuthResponse:
      return Phase::kAuthResponse;
    case Mode::kMailData:
      return Phase::kMailData;
    case Mode::kChunk:
      return Phase::kChunk;
    case Mode::kBlob:
      return Phase::kBlob;
    case Mode::kUndecided:
      return Phase::kUndecided;
  }
  return Phase::kCommands;
}

std::uint32_t ConversationMachine::owed() const {
  return stream(other(commander_)).opaque ? 0 : pending_.owed();
}

bool ConversationMachine::fate_open() const {
  // The last chunk's reply is owed from its command on, but there is no message before its end.
  const std::uint32_t unfinished = mode_ == Mode::kChunk && counted_.last ? 1 : 0;
  return pending_.ends_of_message() > unfinished;
}

const MessageScanner* ConversationMachine::scanner() const {
  if (mode_ != Mode::kMailData && mode_ != Mode::kChunk) return nullptr;
  return message_ ? &message_->scanner() : nullptr;
}

bool ConversationMachine::may_leave_out() const {
  return mode_ != Mode::kMailData || message_->resync_point() == nullptr;
}

Conversation::Conversation(Start start) : machine_(std::make_unique<ConversationMachine>(start)) {}
Conversation::~Conversation() = default;
Conversation::Conversation(Conversation&&) noexcept = default;
Conversation& Conversation::operator=(Conversation&&) noexcept = default;

void Conversation::tell_headlines(std::uint64_t octets) { machine_->tell_headlines(octets); }
void Conversation::see_inside_tls() { machine_->see_inside_tls(); }
void Conversation::receive(Side side, std::span<const std::uint8_t> octets) {
  machine_->receive(side, octets);
}
void Conversation::left_out(Side side, std::uint64_t n, const MessageScanner& after) {
  machine_->left_out(side, n, after);
}
void Conversation::gap(Side side, std::uint64_t n) { machine_->gap(side, n); }
void Conversation::tls_opened(Side side) { machine_->tls_opened(side); }
void Conversation::eof(Side side) { machine_->eof(side); }
void Conversation::finish() { machine_->finish(); }
const Item* Conversation::next() { return machine_->next(); }

Conversation::Phase Conversation::phase() const { return machine_->phase(); }
Side Conversation::commanding_side() const { return machine_->commanding_side(); }
std::uint32_t Conversation::owed() const { return machine_->owed(); }
bool Conversation::fate_open() const { return machine_->fate_open(); }
const Capabilities& Conversation::capabilities() const { return machine_->capabilities(); }
bool Conversation::secret_pending() const { return machine_->secret_pending(); }
std::span<const StreamRange> Conversation::overwritten() const { return machine_->overwritten(); }
std::vector<StreamRange> Conversation::undecided(Side side) const {
  return machine_->undecided(side);
}
const MessageScanner* Conversation::scanner() const { return machine_->scanner(); }
bool Conversation::may_leave_out() const { return machine_->may_leave_out(); }
std::uint64_t Conversation::received(Side side) const { return machine_->received(side); }
std::uint64_t Conversation::itemised(Side side) const { return machine_->itemised(side); }

}  // namespace smtpscope
