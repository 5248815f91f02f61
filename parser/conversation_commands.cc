// The side that commands: lines, and the octets whose meaning is not that of lines.

#include <algorithm>
#include <array>
#include <cassert>

#include "base/ascii.h"
#include "parser/command_line.h"
#include "parser/conversation_machine.h"
#include "parser/credentials.h"
#include "parser/path.h"

namespace smtpscope {
namespace {

/// Octets held behind a barrier. Clients that send a whole message without waiting for the 354 do
/// exist; their usual messages fit, and for larger ones the decision is made without the reply.
constexpr std::size_t kMaxHeld = 256 * 1024;

/// haproxy doc/proxy-protocol.txt 2.2.
constexpr std::array<std::uint8_t, 12> kProxySignature = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                          0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr std::size_t kProxyFixedPart = 16;

bool ends_chunked_message(Verb verb) {
  switch (verb) {
    case Verb::kMail:
    case Verb::kRset:
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      return true;
    default:
      return false;
  }
}

bool asks_for_prdr(std::string_view arguments) {
  for (const MailParameter parameter : mail_parameters(parse_path(arguments, "FROM:").parameters)) {
    if (same_keyword(parameter.keyword, "PRDR")) return true;
  }
  return false;
}

}  // namespace

std::size_t ConversationMachine::step_command(std::span<const std::uint8_t> octets) {
  switch (mode_) {
    case Mode::kPrelude:
      return step_prelude(octets);
    case Mode::kCommands:
    case Mode::kAuthResponse:
      return step_line(octets);
    case Mode::kMailData:
      return step_mail_data(octets);
    case Mode::kProxyHeader:
    case Mode::kChunk:
    case Mode::kBlob:
      return step_counted(octets);
    case Mode::kUndecided:
      return step_undecided(octets);
  }
  return octets.size();
}

/// The PROXY v2 header contains CRLF and "QUIT": it must be told apart before there are lines.
std::size_t ConversationMachine::step_prelude(std::span<const std::uint8_t> octets) {
  Stream& s = commands();
  held_side_ = commander_;
  for (std::size_t taken = 0; taken < octets.size();) {
    const std::size_t at = held_.size();
    if (at < kProxySignature.size() && octets[taken] != kProxySignature[at]) {
      mode_ = Mode::kCommands;
      return taken;
    }
    // Version 2 stands in the upper half of the octet behind the signature.
    if (at == kProxySignature.size() && octets[taken] >> 4 != 2) {
      mode_ = Mode::kCommands;
      return taken;
    }
    held_.append(octets.subspan(taken++, 1));
    if (held_.size() == kProxyFixedPart) {
      const std::span<const std::uint8_t> header = held_.octets();
      proxy_local_ = (header[12] & 0x0f) == 0;
      counted_ = {};
      counted_.left = static_cast<std::uint64_t>(header[14] << 8 | header[15]);
      s.at += held_.size();
      held_.drop(held_.size());
      mode_ = Mode::kProxyHeader;
      return taken;
    }
  }
  return octets.size();
}

std::size_t ConversationMachine::step_line(std::span<const std::uint8_t> octets) {
  Stream& s = commands();
  if (s.line.empty()) begin_line();
  std::size_t taken = 0;
  const std::optional<Line> line = s.line.read(octets, taken);
  s.at += taken;
  if (line) {
    on_line(*line);
  } else if (s.line.octets() > kKeptLine && s.line.octets() - taken <= kKeptLine) {
    judge_long_line();
  }
  return taken;
}

/// The first octet of a line is here.
void ConversationMachine::begin_line() {
  const Stream& s = commands();
  const bool early = s.item_begin < early_until_;
  line_flags_ = early ? kEarly : 0;
  if (!early) {
    // The client goes on, so it has the replies that a gap took from us.
    if (pending_.suspect()) pending_.void_suspects();
    // It goes on with lines unanswered that a server may have read as part of the one before
    // them, up to the first CRLF (RFC 5321 2.3.8).
    if (pending_.only_behind_bare_lf() && !offers_pipelining_) {
      pending_.void_all();
      line_flags_ |= kAfterMergedLines;
    }
  }
  line_pending_ = pending_.owed();
  if (early || s.item_begin < waited_until_) line_pending_ = std::max(line_pending_, 1U);
  line_marks_ = last_line_bare_lf_ && !pending_.empty() ? PendingReplies::kBehindBareLf : 0;
}

std::uint16_t ConversationMachine::take_line_flags() {
  Stream& s = commands();
  if (s.after_gap) line_flags_ |= kAfterGap;
  s.after_gap = false;
  return line_flags_;
}

void ConversationMachine::on_line(const Line& line) {
  Stream& s = commands();
  if (mode_ == Mode::kAuthResponse) {
    if (!unasked_ || verb_of(split_command(line.text).word) == Verb::kUnknown) {
      on_auth_response(line);
      return;
    }
    mode_ = Mode::kCommands;
  }
  bool local = false;
  // A PROXY header stands before all else (haproxy doc/proxy-protocol.txt 2): once the server has
  // spoken it would be a command.
  if (s.item_begin == 0 && commander_ == Side::kClient && line.ending == LineEnding::kCrLf &&
      replies().received == 0 && s.skip == Skip::kNothing &&
      is_proxy_header(line.text, line.octets, local)) {
    on_proxy_line(line, local);
    return;
  }
  const Verb verb = verb_of(split_command(line.text).word);
  if (verb != Verb::kUnknown) {
    suspicion_ = false;
    s.skip = Skip::kNothing;
  } else if (s.skip == Skip::kMidSession && !line.cut() && line.ending == LineEnding::kCrLf &&
             begins_header_field(line.text)) {
    join_message(line);
    return;
  } else if (s.skip != Skip::kNothing) {
    skip_line(line);
    return;
  } else if (suspicion_) {
    suspect_line(line);
    return;
  }
  on_command(line, verb);
}

/// The trace began inside a message: `line` is read again, as its content.
void ConversationMachine::join_message(const Line& line) {
  Stream& s = commands();
  std::vector<std::uint8_t> content(line.text.begin(), line.text.end());
  content.insert(content.end(), {'\r', '\n'});
  held_.assign(std::move(content));
  held_side_ = commander_;
  s.at = s.item_begin;
  s.skip = Skip::kNothing;
  begin_mail_data(true);
}

void ConversationMachine::on_proxy_line(const Line& line, bool local) {
  emit(commander_, commands().at).body = ProxyHeader{1, local, line.text};
  commands().fresh = true;
}

void ConversationMachine::on_auth_response(const Line& line) {
  const bool whole = line.ending != LineEnding::kNone;
  AuthResponse response;
  response.octets = line.text_octets;
  response.quit = equal_ignoring_case(line.text, "QUIT");
  response.cancelled = response.quit || line.text == "*";  // RFC 4954 4
  response.ending = line.ending;
  response.exchange = whole ? pending_.add(Answers::kAuthResponse, Verb::kAuth) : kNoExchange;
  Item& item = emit(commander_, commands().at);
  if (!response.cancelled) {
    item.secret_end = item.begin + line.text_octets;
    learn(line.text);
  }
  item.body = response;
  last_line_bare_lf_ = false;
  if (whole) {
    raise(Barrier::Kind::kAuth);
  } else {
    mode_ = Mode::kCommands;
  }
}

/// The part of a line, not known to be a command, that may be credentials. `suspect`: all of it.
SecretPart ConversationMachine::find_secret(const Line& line, bool suspect) {
  if (suspect) return {0, line.text_octets};
  const std::size_t found = find_credentials(line.text);
  if (found != std::string_view::npos) return {found, line.text_octets};
  if (looks_like_response(line.text)) return {0, line.text_octets};
  return {};
}

/// Behind a gap, or at the beginning of a trace that began in mid-session. Anything here may be
/// an AUTH response; the first line may also be the rest of an AUTH command.
void ConversationMachine::skip_line(const Line& line) {
  Stream& s = commands();
  const SecretPart secret = find_secret(line, suspicion_ || !s.skipped_a_line);
  const JunkReason reason =
      s.skip == Skip::kMidSession ? JunkReason::kMidSession : JunkReason::kResync;
  s.skipped_a_line = true;
  if (secret.begin < line.text.size() && secret.begin < secret.end) {
    learn_if_clear(line.text.substr(secret.begin));
  }
  emit_junk(commander_, s.at, reason, line.text, line.flags, secret);
}

/// Behind an AUTH that failed, a client that did not wait for the 334 may still send responses.
void ConversationMachine::suspect_line(const Line& line) {
  Command command;
  const bool whole = line.ending != LineEnding::kNone;
  command.exchange =
      whole ? pending_.add(Answers::kCommand, Verb::kUnknown, line_marks_) : kNoExchange;
  command.pending_before = line_pending_;
  command.flags = take_line_flags();
  command.ending = line.ending;
  last_line_bare_lf_ = line.ending == LineEnding::kLf;
  Item& item = emit(commander_, commands().at);
  item.secret_end = item.begin + line.text_octets;
  learn(line.text);
  item.body = command;
}

void ConversationMachine::on_command(const Line& line, Verb verb) {
  std::string_view text = line.text;
  std::uint16_t flags = line.flags;
  Item& item = emit(commander_, commands().at);
  if (may_hold_credentials(verb, flags)) {
    const bool login = verb == Verb::kAuth || verb == Verb::kXexps;
    std::size_t secret = find_credentials(text);
    // What is not kept of an AUTH line cannot be looked at, so it counts as credentials.
    if (secret == std::string_view::npos && login && line.cut()) secret = text.size();
    if (login) name_expected_ = true;
    if (secret != std::string_view::npos) {
      item.secret_begin = item.begin + secret;
      item.secret_end = item.begin + line.text_octets;
      learn(text.substr(secret));
      text = text.substr(0, secret);
      flags = odd_octets(text);
    } else if (!is_read_as_command(verb)) {
      text = show_command(text, item.begin, flags);
    }
  }
  const CommandWords words = split_command(text);

  Command& command = item.body.emplace<Command>();
  command.verb = verb;
  command.word = words.word;
  command.arguments = words.arguments;
  command.text = text;
  command.exchange = kNoExchange;
  command.pending_before = line_pending_;
  command.flags = static_cast<std::uint16_t>(flags | take_line_flags());
  command.ending = line.ending;
  last_line_bare_lf_ = line.ending == LineEnding::kLf;
  if (line.ending == LineEnding::kNone) {
    unfinished_ = verb;
    return;
  }

  if (message_ && ends_chunked_message(verb)) message_.reset();
  std::uint8_t marks = line_marks_;
  if (verb == Verb::kMail && offers_prdr_ && asks_for_prdr(words.arguments)) {
    marks |= PendingReplies::kPrdr;
  }
  if (verb == Verb::kBdat) {
    const std::optional<ChunkArgument> chunk = parse_chunk_argument(words.arguments);
    if (chunk && chunk->last) {
      marks |= PendingReplies::kLastChunk;
      // LMTP: one reply per accepted recipient, none at all without any (RFC 2033 4.2).
      if (lmtp_ && pending_.empty() && accepted_ == 0) {
        follow_up(verb, words.arguments, kNoExchange);
        return;
      }
    }
  }
  command.exchange = pending_.add(Answers::kCommand, verb, marks);
  settle_recipients();
  follow_up(verb, words.arguments, command.exchange);
}

/// What the octets behind a command will be.
void ConversationMachine::follow_up(Verb verb, std::string_view arguments, Exchange exchange) {
  switch (verb) {
    case Verb::kData:
      raise(Barrier::Kind::kData);
      return;
    case Verb::kAuth:
    case Verb::kXexps:
      raise(Barrier::Kind::kAuth);
      return;
    case Verb::kStartTls:
    case Verb::kXanonymousTls:
      raise(Barrier::Kind::kStartTls);
      return;
    case Verb::kTurn:
    case Verb::kAtrn:
      raise(Barrier::Kind::kTurn);
      return;
    case Verb::kBdat:
      // A malformed BDAT announces no octets: the server refuses it (RFC 3030 2), and what follows
      // are commands.
      if (const auto chunk = parse_chunk_argument(arguments)) {
        counted_ = {exchange, chunk->octets, chunk->octets, 0, chunk->last};
        if (offers_chunking_) {
          // The octets come whatever the reply is and whenever it comes (RFC 3030 2).
          begin_chunk();
        } else {
          raise(Barrier::Kind::kChunk);
        }
      }
      return;
    case Verb::kXexch50:
      if (const auto octets = parse_blob_size(arguments)) {
        counted_ = {exchange, *octets, *octets, 0, false};
        raise(Barrier::Kind::kBlob);
      }
      return;
    default:
      return;
  }
}

void ConversationMachine::raise(Barrier::Kind kind) {
  barrier_.kind = kind;
  mode_ = Mode::kUndecided;
  held_side_ = commander_;
  last_line_bare_lf_ = false;
}

std::size_t ConversationMachine::step_undecided(std::span<const std::uint8_t> octets) {
  Stream& s = commands();
  if (barrier_.overflowed) {
    s.at += octets.size();
    return octets.size();
  }
  const std::size_t room = kMaxHeld - std::min(kMaxHeld, held_.size());
  const std::size_t taken = std::min(octets.size(), room);
  if (barrier_.reply_may_be_lost) {
    // One by one, for the decision must not depend on how many came together.
    held_.append(octets.first(1));
    decide_when_held_tell();
    return 1;
  }
  held_.append(octets.first(taken));
  if (taken < octets.size()) overflow();
  return taken;
}

/// More octets came than are held, and still no reply: the decision is made without it.
void ConversationMachine::overflow() {
  if (barrier_.kind == Barrier::Kind::kData) {
    begin_mail_data(true);
  } else if (barrier_.kind == Barrier::Kind::kChunk) {
    begin_chunk();
  } else {
    barrier_.overflowed = true;
    commands().at += held_.size();
    held_.drop(held_.size());
  }
}

void ConversationMachine::begin_mail_data(bool assumed) {
  barrier_.kind = Barrier::Kind::kNone;
  mode_ = Mode::kMailData;
  message_ = std::make_unique<PendingMessage>(MessageScanner::Framing::kDotTerminated,
                                              commands().item_begin, headline_octets_);
  message_->early_until = std::max(early_until_, commands().item_begin);
  message_->assumed = assumed;
  message_->awaits_data_reply = assumed && !pending_.empty();
  message_->missing = barrier_.missing;
  barrier_.forget_gap();
}

std::size_t ConversationMachine::step_mail_data(std::span<const std::uint8_t> octets) {
  Stream& s = commands();
  const std::size_t taken = message_->scan(octets, s.at);
  s.at += taken;
  return taken;  // settle() sees the end
}

void ConversationMachine::end_mail_data(DataEnd how, std::uint64_t end, const MessageFacts& facts,
                                        bool owes) {
  PendingMessage& message = *message_;
  Item& item = emit(commander_, end);
  MailData& data = item.body.emplace<MailData>();
  data.facts = facts;
  data.end = how;
  data.missing_octets = message.missing;
  data.assumed = message.assumed;
  const std::uint64_t early_until = message.awaits_data_reply ? end : message.early_until;
  data.early_octets = std::clamp(early_until, item.begin, item.end) - item.begin;
  data.answered_early = message.answered != kNoExchange;
  data.exchange = message.answered;
  if (owes && !data.answered_early && !message.refused) data.exchange = owe_end_of_data();
  if (how != DataEnd::kCandidate) data.behind_candidate = message.behind_candidate();
  data.headline = message.headline();
  if (!data.behind_candidate.empty() || !data.headline.empty()) {
    shown_message_ = std::move(message_);
  }
  message_.reset();
  mode_ = Mode::kCommands;
  last_line_bare_lf_ = false;
  if (how == DataEnd::kStrict) commands().after_gap = false;  // the gap is told in this item
}

/// LMTP: one reply per accepted recipient, in the order of the RCPTs (RFC 2033 4.2).
Exchange ConversationMachine::owe_end_of_data() {
  return pending_.add(Answers::kEndOfData, Verb::kData, 0, lmtp_ ? std::max(accepted_, 1U) : 1U);
}

void ConversationMachine::begin_chunk() {
  barrier_.kind = Barrier::Kind::kNone;
  mode_ = Mode::kChunk;
  if (!message_) {
    message_ = std::make_unique<PendingMessage>(MessageScanner::Framing::kCounted,
                                                commands().item_begin, headline_octets_);
  }
  if (barrier_.missing > 0 && barrier_.missing <= counted_.left) {
    counted_.left -= barrier_.missing;
    counted_.missing += barrier_.missing;
  }
  barrier_.forget_gap();
}

std::size_t ConversationMachine::step_counted(std::span<const std::uint8_t> octets) {
  const auto taken =
      static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), counted_.left));
  if (mode_ == Mode::kChunk) message_->scan(octets.first(taken), commands().at);
  commands().at += taken;
  counted_.left -= taken;
  return taken;  // settle() sees the end
}

void ConversationMachine::end_counted(bool complete) {
  const Mode mode = mode_;
  mode_ = Mode::kCommands;
  if (complete) commands().after_gap = false;  // the gap is told in this item
  Item& item = emit(commander_, commands().at);
  if (mode == Mode::kProxyHeader) {
    item.body = ProxyHeader{2, proxy_local_, {}};
    commands().fresh = true;
  } else if (mode == Mode::kBlob) {
    item.body = Blob{counted_.exchange, counted_.declared, complete};
    // The second reply to XEXCH50 is owed once its octets are here.
    if (complete) pending_.add_second(counted_.exchange, Verb::kXexch50);
  } else {
    assert(mode == Mode::kChunk);
    item.body = Chunk{counted_.exchange,
                      counted_.declared,
                      counted_.last,
                      message_->facts(),
                      counted_.missing,
                      complete,
                      counted_.last ? message_->headline() : Headline()};
    if (counted_.last) shown_message_ = std::move(message_);
  }
}

}  // namespace smtpscope
