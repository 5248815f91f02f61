// Gaps, ends, and how the machine finds its feet again.

#include <algorithm>
#include <cassert>

#include "base/octets.h"
#include "parser/command_line.h"
#include "parser/conversation_machine.h"
#include "parser/credentials.h"

namespace smtpscope {
namespace {

/// If the reply to a barrier may be lost, this many octets without a line end tell enough.
constexpr std::size_t kEnoughToDecide = 1024;

/// What is shown of octets that never got a meaning.
constexpr std::size_t kJunkText = 4096;

/// The lines at the beginning of `text` up to the first with credentials, or all. `responses`:
/// every line is taken for one.
struct LinesWithSecret {
  std::size_t size = 0;
  SecretPart secret;
};
LinesWithSecret take_lines(std::string_view text, bool responses) {
  LinesWithSecret taken;
  while (taken.size < text.size() && taken.secret.begin == taken.secret.end) {
    const std::size_t begin = taken.size;
    const std::size_t lf = std::min(text.find('\n', begin), text.size());
    taken.size = std::min(lf + 1, text.size());
    std::string_view line = text.substr(begin, lf - begin);
    if (lf < text.size()) line = line.substr(0, line.find_last_not_of('\r') + 1);
    const std::size_t found = responses ? 0 : find_credentials(line);
    if (found != std::string_view::npos) taken.secret = {begin + found, begin + line.size()};
  }
  return taken;
}

}  // namespace

/// One step of the event under way; the pump calls again until it is done.
void ConversationMachine::advance_event() {
  switch (event_) {
    case Event::kNone:
      return;
    case Event::kGap:
      if (flush_before_gap(event_side_)) return;
      pass_gap(event_side_, event_octets_);
      break;
    case Event::kTlsOpened:
      if (flush_before_tls(event_side_)) return;
      see_through(event_side_);
      break;
    case Event::kEof:
      if (flush_at_end(event_side_)) return;
      break;
    case Event::kFinish:
      if (flush_at_end(replier())) return;
      if (decide_at_finish()) return;
      if (flush_at_end(commander_)) return;
      break;
  }
  event_ = Event::kNone;
}

/// Makes items of what the gap leaves unfinished, one per call. True when it did something.
bool ConversationMachine::flush_before_gap(Side side) {
  Stream& s = stream(side);
  if (s.opaque) {
    if (!s.line.empty()) {
      emit_not_tls(side, s.line.cut());
      return true;
    }
    if (s.tls.empty() || s.tls.has_room_for(event_octets_)) return false;
    emit_tls_record(side);
    return true;
  }
  return side == commander_ ? flush_commands_before_gap() : flush_replies_before_gap();
}

bool ConversationMachine::flush_replies_before_gap() {
  Stream& s = replies();
  if (reply_.open()) {
    reply_.cut();
    return true;
  }
  if (s.line.empty()) return false;
  const Line line = show_reply(s.line.cut());
  emit_junk(replier(), s.at, JunkReason::kCut, line.text, line.flags);
  return true;
}

bool ConversationMachine::flush_commands_before_gap() {
  Stream& s = commands();
  switch (mode_) {
    case Mode::kPrelude:
      mode_ = Mode::kCommands;  // what is held becomes a line
      return true;
    case Mode::kProxyHeader:
      mode_ = Mode::kCommands;
      emit_junk(commander_, s.at, JunkReason::kCut, {}, 0);
      return true;
    case Mode::kCommands:
    case Mode::kAuthResponse: {
      if (s.line.empty()) return false;
      const Line line = s.line.cut();
      const bool response = mode_ == Mode::kAuthResponse || suspicion_ || s.skip != Skip::kNothing;
      const std::size_t secret = response ? 0 : find_credentials(line.text);
      if (secret < line.text.size()) learn(line.text.substr(secret));
      emit_junk(commander_, s.at, JunkReason::kCut, line.text, line.flags,
                {std::min<std::uint64_t>(secret, line.octets), line.octets});
      return true;
    }
    case Mode::kMailData:
      return false;
    case Mode::kChunk:
    case Mode::kBlob:
      if (event_octets_ != 0 && event_octets_ <= counted_.left) return false;
      counted_.missing += counted_.left;
      end_counted(false);
      return true;
    case Mode::kUndecided:
      if (barrier_.overflowed) {
        barrier_.overflowed = false;
        emit_overflow_ = true;
        return true;
      }
      if (held_.empty()) return false;
      if (barrier_.kind == Barrier::Kind::kData || barrier_.kind == Barrier::Kind::kChunk) {
        overflow();
      } else {
        emit_held_as_junk(JunkReason::kCut);
      }
      return true;
  }
  return false;
}

/// Line by line where there are credentials, so that a masked copy still has its line ends.
void ConversationMachine::emit_held_as_junk(JunkReason reason) {
  const std::string_view held = text_of(held_.octets());
  const LinesWithSecret taken = take_lines(held, barrier_.kind == Barrier::Kind::kAuth);
  if (taken.secret.begin < taken.secret.end) {
    learn(held.substr(taken.secret.begin, taken.secret.end - taken.secret.begin));
  }
  const std::string_view text = held.substr(0, std::min(taken.size, kJunkText));
  commands().at += taken.size;
  emit_junk(commander_, commands().at, reason, text, odd_octets(text), taken.secret);
  held_.drop(taken.size);
}

/// Nothing is unfinished any more: steps over the missing octets.
void ConversationMachine::pass_gap(Side side, std::uint64_t n) {
  Stream& s = stream(side);
  s.received += n;
  s.after_gap = true;
  if (s.opaque) {
    if (handshakes_ != nullptr) handshakes_->lose(side);
    if (!s.tls.skip(n)) s.item_begin = s.received;
    s.at = s.received;
    return;
  }
  if (side == commander_) {
    pass_gap_in_commands(n);
    return;
  }
  s.at = s.item_begin = s.received;
  s.fresh = true;
  s.skip = Skip::kAfterGap;
  pending_.suspect_all();
  if (mode_ == Mode::kUndecided) barrier_.reply_may_be_lost = true;
  // What the server offers may have been in the gap: nothing is ruled out then.
  if (pending_.has_hello()) offers_chunking_ = offers_pipelining_ = true;
}

void ConversationMachine::pass_gap_in_commands(std::uint64_t n) {
  Stream& s = commands();
  switch (mode_) {
    case Mode::kMailData:
      message_->gap(n, s.at);
      s.at = s.received;
      return;
    case Mode::kChunk:
    case Mode::kBlob:
      counted_.left -= n;
      counted_.missing += n;
      s.at = s.received;
      return;
    case Mode::kUndecided:
      barrier_.gap = true;
      barrier_.missing += n;
      s.at = s.item_begin = s.received;
      return;
    case Mode::kAuthResponse:
    case Mode::kPrelude:
    case Mode::kProxyHeader:
    case Mode::kCommands:
      mode_ = Mode::kCommands;
      s.at = s.item_begin = s.received;
      s.fresh = true;
      last_line_bare_lf_ = false;
      begin_skipping();
      return;
  }
}

void ConversationMachine::begin_skipping() {
  commands().skip = Skip::kAfterGap;
  commands().skipped_a_line = false;
}

/// Makes items of what the end of the stream leaves unfinished, one per call.
bool ConversationMachine::flush_at_end(Side side) {
  Stream& s = stream(side);
  if (s.opaque) {
    if (!s.line.empty()) {
      emit_not_tls(side, s.line.cut());
      return true;
    }
    if (s.tls.empty()) return false;
    emit_tls_record(side);
    return true;
  }
  return side == commander_ ? flush_commands_at_end() : flush_replies_at_end();
}

bool ConversationMachine::flush_replies_at_end() {
  Stream& s = replies();
  if (!s.line.empty()) {
    const Line line = show_reply(s.line.cut());
    if (reply_.add(line, s.at)) {
      reply_.cut();
    } else {
      Item& item = emit(replier(), s.at);
      give_covered();
      item.body = GarbageLine{line.text, line.flags, line.ending};
    }
    return true;
  }
  if (!reply_.open()) return false;
  reply_.cut();
  return true;
}

bool ConversationMachine::flush_commands_at_end() {
  Stream& s = commands();
  switch (mode_) {
    case Mode::kPrelude:
      mode_ = Mode::kCommands;  // what is held becomes a line
      return true;
    case Mode::kProxyHeader:
      mode_ = Mode::kCommands;
      emit_junk(commander_, s.at, JunkReason::kUndecided, {}, 0);
      return true;
    case Mode::kCommands:
    case Mode::kAuthResponse:
      if (s.line.empty()) return false;
      on_line(s.line.cut());
      return true;
    case Mode::kMailData: {
      // While a reply may still show that the message ended before, it is waited for.
      if (event_ == Event::kEof && message_->resync_point() != nullptr) return false;
      const bool nothing =
          s.at == s.item_begin && message_->missing == 0 && message_->answered == kNoExchange;
      if (nothing) {
        message_.reset();
        mode_ = Mode::kCommands;
      } else {
        end_mail_data(message_->missing > 0 ? DataEnd::kGap : DataEnd::kCut, s.at,
                      message_->facts(), false);
      }
      return true;
    }
    case Mode::kChunk:
    case Mode::kBlob:
      end_counted(false);
      return true;
    case Mode::kUndecided:
      return false;  // the reply may still come; else decide_at_finish()
  }
  return false;
}

/// No reply will lift the barrier any more.
bool ConversationMachine::decide_at_finish() {
  if (mode_ != Mode::kUndecided) return false;
  if (barrier_.overflowed) {
    leave_barrier();
    return true;
  }
  if (held_.empty()) return false;
  if (barrier_.reply_may_be_lost) {
    decide_by_held();
    return true;
  }
  const Stream& s = replies();
  const bool one_sided = s.received == 0;
  if (!one_sided) {
    emit_held_as_junk(JunkReason::kUndecided);
    if (held_.empty()) leave_barrier();
    return true;
  }
  // Only one direction was traced. The client knew the replies: it is taken at its word.
  if (barrier_.kind == Barrier::Kind::kData) {
    begin_mail_data(true);
    message_->awaits_data_reply = false;
  } else if (barrier_.kind == Barrier::Kind::kChunk ||
             (barrier_.kind == Barrier::Kind::kStartTls &&
              begins_tls_record(held_.octets().front()))) {
    grant();
  } else {
    refuse(true);
  }
  return true;
}

/// The octet held last may have told enough.
void ConversationMachine::decide_when_held_tell() {
  const std::span<const std::uint8_t> held = held_.octets();
  const bool tls = barrier_.kind == Barrier::Kind::kStartTls && begins_tls_record(held.front());
  if (held.back() == '\n' || held.size() >= kEnoughToDecide || tls) decide_by_held();
}

/// The reply to the barrier was lost in a gap, so the client has acted on it: what it sent tells
/// what the reply was.
void ConversationMachine::decide_by_held() {
  const std::string_view text = text_of(held_.octets());
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::string_view word =
      line.substr(0, line.ends_with('\r') ? line.size() - 1 : line.size());
  const bool command = verb_of(split_command(word).word) != Verb::kUnknown;
  const bool tls = begins_tls_record(held_.octets().front());
  pending_.void_all();
  barrier_.reply_may_be_lost = false;
  if (command || barrier_.kind == Barrier::Kind::kTurn ||
      (barrier_.kind == Barrier::Kind::kStartTls && !tls)) {
    refuse(true);
  } else if (barrier_.kind == Barrier::Kind::kData) {
    begin_mail_data(true);
  } else {
    grant();
  }
}

}  // namespace smtpscope
