// Opaque streams: TLS records, and what stands where records should.

#include <algorithm>

#include "parser/command_line.h"
#include "parser/conversation_machine.h"

namespace smtpscope {
namespace {

/// Octets that are no record are shown line by line, or in pieces of this size.
constexpr std::size_t kPiece = 4096;

}  // namespace

/// RFC 3207 4.2: both sides forget what they knew; nothing is owed behind the 220.
void ConversationMachine::go_opaque() {
  for (Stream& each : streams_) {
    each.opaque = !sees_inside_tls_;
    each.may_turn_back = false;
  }
  pending_.void_all();
  mode_ = Mode::kCommands;
}

/// Makes an item of what stands in the clear before TLS. True when it did something.
bool ConversationMachine::flush_before_tls(Side side) {
  if (side == Side::kClient && flush_before_tls(Side::kServer)) return true;
  if (mode_ == Mode::kUndecided && barrier_.kind == Barrier::Kind::kStartTls) {
    grant();  // the 220 was not seen
    return true;
  }
  return stream(side).opaque && flush_at_end(side);
}

/// RFC 3207 4.2: what follows is a new session. TLS from the first octet leaves nothing to forget.
void ConversationMachine::see_through(Side side) {
  for (const Side each : {Side::kClient, Side::kServer}) {
    if (each == Side::kClient && side == Side::kServer) continue;
    Stream& s = stream(each);
    s.opaque = s.may_turn_back = s.fresh = false;
    s.tls = TlsRecordReader();
  }
}

/// The peer of `side` speaks TLS, from its beginning or from somewhere in a gap: so does `side`
/// now or soon. Its own octets tell from where on.
void ConversationMachine::expect_tls_of(Side side) {
  Stream& s = stream(side);
  if (s.opaque) {
    pending_.void_all();
  } else if (mode_ == Mode::kUndecided && barrier_.kind == Barrier::Kind::kStartTls) {
    grant();  // the 220 was in the gap
  } else if (s.line.empty() && (side != commander_ || mode_ == Mode::kCommands)) {
    s.fresh = true;
  }
}

std::size_t ConversationMachine::step_tls(Side side, std::span<const std::uint8_t> octets) {
  Stream& s = stream(side);
  if (!s.line.empty()) return step_not_tls(side, octets);
  // One by one until it is proven, for the proof may set free what the other side holds.
  if (s.may_turn_back) octets = octets.first(1);
  std::size_t taken = 0;
  const TlsRecordReader::Found found = s.tls.read(octets, taken);
  s.at += taken;
  if (const std::size_t shown = s.tls.handshake_octets(); shown > 0) {
    take_handshake(side, octets.subspan(taken - shown, shown));
  }
  if (found == TlsRecordReader::Found::kNoTls) {
    if (!s.tls.took_type()) return step_not_tls(side, octets);
    // The octet that looked like a record's type begins a line instead.
    if (s.may_turn_back) {
      s.opaque = s.may_turn_back = false;
      if (side == commander_) {
        if (mode_ == Mode::kPrelude) mode_ = Mode::kCommands;
        begin_line();
      }
    }
    const std::uint8_t type = s.tls.type();
    std::size_t one = 0;
    s.line.read(std::span(&type, 1), one);
    return taken;
  }
  if (s.may_turn_back && s.tls.sure()) {
    s.may_turn_back = false;
    expect_tls_of(other(side));
  }
  if (found == TlsRecordReader::Found::kRecord) emit_tls_record(side);
  return taken;
}

void ConversationMachine::emit_tls_record(Side side) {
  Stream& s = stream(side);
  constexpr std::uint8_t kHandshake = 22;
  TlsRecord record = s.tls.record();
  if (record.encrypted && commands().tls.encrypts() && replies().tls.encrypts()) {
    handshakes_.reset();  // nothing of it can be read any more
  }
  if (record.type == kHandshake && !record.encrypted && handshakes_ != nullptr) {
    if (handshakes_->record_continues(side)) record.handshake_type = 0;
    record.messages = &handshakes_->end_record(side);
  }
  emit(side, s.at).body = record;
  s.tls.next_record();
}

void ConversationMachine::take_handshake(Side side, std::span<const std::uint8_t> fragment) {
  if (handshakes_ == nullptr) handshakes_ = std::make_unique<TlsHandshakes>();
  handshakes_->take(side, fragment);
  if (!handshakes_->chose_tls13()) return;
  for (Stream& each : streams_) each.tls.speak_tls13();
}

std::size_t ConversationMachine::step_not_tls(Side side, std::span<const std::uint8_t> octets) {
  Stream& s = stream(side);
  const std::size_t room = kPiece - static_cast<std::size_t>(s.line.octets());
  std::size_t taken = 0;
  std::optional<Line> line = s.line.read(octets.first(std::min(room, octets.size())), taken);
  s.at += taken;
  if (!line && s.line.octets() >= kPiece) line = s.line.cut();
  if (line) emit_not_tls(side, *line);
  return taken;
}

/// The client greets anew (RFC 3207 4.2) where TLS should have begun, after it had the 220: the
/// trace comes from where TLS has been taken off, or nobody speaks it. What came before the 220
/// was here is another story (injection), and stays what it is.
bool ConversationMachine::goes_on_in_the_clear(Side side, const Line& line) const {
  const Stream& s = stream(side);
  if (side != commander_ || line.ending == LineEnding::kNone) return false;
  if (s.item_begin < early_until_ || streams_[0].tls.records() + streams_[1].tls.records() > 0) {
    return false;
  }
  const Verb verb = verb_of(split_command(line.text).word);
  return verb == Verb::kEhlo || verb == Verb::kHelo || verb == Verb::kLhlo;
}

void ConversationMachine::emit_not_tls(Side side, const Line& line) {
  Stream& s = stream(side);
  if (goes_on_in_the_clear(side, line)) {
    see_through(Side::kClient);
    line_pending_ = 0;
    line_marks_ = 0;
    line_flags_ = kTlsNeverCame;
    on_command(line, verb_of(split_command(line.text).word));
    return;
  }
  const JunkReason reason =
      s.tls.records() == 0 ? JunkReason::kBehindStartTls : JunkReason::kNotTls;
  // A client that goes on in the clear may go on with AUTH.
  SecretPart secret;
  if (side == commander_) secret = find_secret(line, false);
  emit_junk(side, s.at, reason, line.text, line.flags, secret);
}

}  // namespace smtpscope
