// Credentials: what may not be shown, and what nobody may write down before that is known.

#include <algorithm>

#include "base/base64.h"
#include "parser/command_line.h"
#include "parser/conversation_machine.h"
#include "parser/credentials.h"

namespace smtpscope {
namespace {

/// Of parts that are overwritten in one reply. A server that repeats a password more often loses
/// what stands between.
constexpr std::size_t kMostParts = 256;

void overwrite(std::string& text, const std::vector<TextRange>& parts) {
  for (const TextRange& part : parts) {
    const auto begin = text.begin() + static_cast<std::ptrdiff_t>(part.begin);
    std::fill(begin, text.begin() + static_cast<std::ptrdiff_t>(part.end), '#');
  }
}

void append(std::vector<StreamRange>& ranges, StreamRange range) {
  if (ranges.size() < kMostParts) {
    ranges.push_back(range);
  } else {
    ranges.back().end = range.end;
  }
}

}  // namespace

CoveredTexts& ConversationMachine::covered() {
  if (covered_ == nullptr) covered_ = std::make_unique<CoveredTexts>();
  return *covered_;
}

void ConversationMachine::learn(std::string_view credentials) {
  // A client that gives up in the midst of a login says so in words.
  if (verb_of(split_command(credentials).word) != Verb::kUnknown) return;
  if (covered().secrets.empty()) covered_->since = replies().at;
  covered_->secrets.learn(credentials, name_expected_);
  name_expected_ = false;
}

/// Behind a gap anything may be a response; what is one can be told by its structure only.
void ConversationMachine::learn_if_clear(std::string_view text) {
  if (suspicion_ || is_sasl_response(decode_base64(text))) learn(text);
}

/// The text of a 334 may say what is expected.
void ConversationMachine::note_challenge(std::string_view text) {
  const Prompt prompt = prompt_of(text);
  if (prompt == Prompt::kName) name_expected_ = true;
  if (prompt == Prompt::kPassword) name_expected_ = false;
}

/// A 334 has come that no AUTH is known for, as where a log has lost it, or a server takes for AUTH
/// what is not: the next line answers it (RFC 4954 4), unless it is a command.
void ConversationMachine::expect_response() {
  Stream& s = commands();
  if (s.opaque || mode_ == Mode::kAuthResponse) return;
  if (mode_ == Mode::kCommands && pending_.empty() && s.line.empty()) {
    mode_ = Mode::kAuthResponse;
    unasked_ = true;
    s.skip = Skip::kNothing;
  } else if (mode_ == Mode::kCommands || mode_ == Mode::kUndecided) {
    suspicion_ = true;
  }
}

/// More of the line came than is kept: what is kept tells all that will be known of it.
void ConversationMachine::judge_long_line() {
  const std::string_view kept = commands().line.partial();
  const Verb verb = verb_of(split_command(kept).word);
  std::vector<TextRange> words;
  if (!is_read_as_command(verb)) find_credential_words(kept, words);
  long_line_secret_ = verb == Verb::kAuth || verb == Verb::kXexps || !words.empty() ||
                      find_credentials(kept) != std::string_view::npos;
}

/// A line of the commanding side as it may be shown. It begins at stream offset `begin`, as its
/// item does.
std::string_view ConversationMachine::show_command(std::string_view text, std::uint64_t begin,
                                                   std::uint16_t& flags) {
  std::vector<TextRange> parts;
  find_credential_words(text, parts);
  if (parts.empty()) return text;
  CoveredTexts& own = covered();
  own.command = text;
  overwrite(own.command, parts);
  own.shown.clear();
  for (const TextRange& part : parts) {
    learn(text.substr(part.begin, part.end - part.begin));
    append(own.shown, {begin + part.begin, begin + part.end});
  }
  flags = static_cast<std::uint16_t>(odd_octets(own.command) | (flags & kCutForDisplay));
  return own.command;
}

/// The reply that comes answers a login, as far as is known.
bool ConversationMachine::answers_login() const {
  if (pending_.empty()) return true;
  const PendingReplies::Answered oldest = pending_.oldest();
  return oldest.answers == Answers::kAuthResponse ||
         (oldest.answers == Answers::kCommand &&
          (oldest.verb == Verb::kAuth || oldest.verb == Verb::kXexps ||
           oldest.verb == Verb::kUnknown));
}

/// Which parts of a line of the replying side, which begins at stream offset `begin`, repeat
/// credentials.
std::vector<TextRange> ConversationMachine::repeated_in(std::string_view line, std::uint64_t begin,
                                                        bool unfinished) const {
  std::vector<TextRange> parts = covered_->secrets.find(line, answers_login(), unfinished);
  // Of a line that had begun before there were any, the beginning has been written down.
  const std::uint64_t written = covered_->since - std::min(begin, covered_->since);
  std::erase_if(parts, [&](const TextRange& part) { return part.end <= written; });
  if (!parts.empty() && parts.front().begin < written) parts.front().begin = written;
  return parts;
}

/// A line of the replying side, just read, as it may be shown.
Line ConversationMachine::show_reply(const Line& line) {
  if (covered_ == nullptr || covered_->secrets.empty()) return line;
  const bool unfinished = line.ending == LineEnding::kNone;
  const std::uint64_t begin = replies().at - line.octets;
  const std::vector<TextRange> parts = repeated_in(line.text, begin, unfinished);
  for (const TextRange& part : parts) {
    append(covered_->in_reply, {begin + part.begin, begin + part.end});
  }
  // Nobody has looked at the rest.
  const std::uint64_t rest = std::max(begin + line.text.size(), covered_->since);
  if (line.cut() && rest < begin + line.text_octets) {
    append(covered_->in_reply, {rest, begin + line.text_octets});
  }
  if (parts.empty()) return line;
  covered_->reply = line.text;
  overwrite(covered_->reply, parts);
  Line shown = line;
  shown.text = covered_->reply;
  shown.flags = static_cast<std::uint16_t>(odd_octets(shown.text) | (line.flags & kCutForDisplay));
  return shown;
}

/// What was overwritten in the lines of a reply goes with its item.
void ConversationMachine::give_covered() {
  if (covered_ == nullptr || covered_->in_reply.empty()) return;
  covered_->shown.swap(covered_->in_reply);
  covered_->in_reply.clear();
}

std::span<const StreamRange> ConversationMachine::overwritten() const {
  if (covered_ == nullptr) return {};
  return covered_->shown;
}

bool ConversationMachine::reply_pending() const {
  if (covered_ == nullptr || covered_->secrets.empty()) return false;
  const Stream& s = stream(other(commander_));
  return !s.opaque && (!s.line.empty() || reply_.open() || reply_.complete());
}

bool ConversationMachine::command_pending() const {
  const Stream& s = commands();
  if (s.opaque) return !s.line.empty() || (s.may_turn_back && !s.tls.empty());
  if (mode_ == Mode::kUndecided) return barrier_.overflowed || !held_.empty();
  // What is behind a possible end may be commands, and the last of them unfinished.
  if (mode_ == Mode::kMailData) return message_->resync_point() != nullptr;
  // It may become a line.
  if (mode_ == Mode::kPrelude) return !held_.empty();
  if (s.line.empty()) return false;
  if (mode_ == Mode::kAuthResponse) return true;
  if (mode_ != Mode::kCommands) return false;
  if (suspicion_ || s.skip != Skip::kNothing) return true;
  if (s.line.octets() > kKeptLine) return long_line_secret_;
  return may_hold_credentials(s.line.partial(), s.line.flags());
}

bool ConversationMachine::secret_pending() const { return command_pending() || reply_pending(); }

/// What has to be overwritten if nobody waits any longer to know more.
std::vector<StreamRange> ConversationMachine::undecided(Side side) const {
  const Stream& s = stream(side);
  const auto in_line = [&](std::uint64_t offset) { return s.received - s.line.octets() + offset; };
  std::vector<StreamRange> ranges;
  if (side != commander_) {
    if (!reply_pending()) return ranges;
    ranges = covered_->in_reply;
    if (s.line.empty()) return ranges;
    const std::string_view partial = s.line.partial();
    for (const TextRange& part : repeated_in(partial, in_line(0), true)) {
      ranges.push_back({in_line(part.begin), in_line(part.end)});
    }
    const std::uint64_t rest = std::max(in_line(partial.size()), covered_->since);
    if (rest < s.received) ranges.push_back({rest, s.received});
    return ranges;
  }
  if (!command_pending() || mode_ == Mode::kPrelude) return ranges;
  if (mode_ == Mode::kMailData && !s.opaque) {
    const PendingMessage::ResyncPoint& point = *message_->resync_point();
    if (point.tail_may_hold_credentials) ranges.push_back({point.tail_begin, s.received});
    return ranges;
  }
  const bool plain =
      mode_ == Mode::kCommands && !s.opaque && !suspicion_ && s.skip == Skip::kNothing;
  if (!plain) return {{s.item_begin, s.received}};
  const std::string_view partial = s.line.partial();
  const std::size_t found = find_credentials(partial);
  if (found != std::string_view::npos) return {{in_line(found), s.received}};
  if (is_read_as_command(verb_of(split_command(partial).word))) return ranges;
  std::vector<TextRange> parts;
  find_credential_words(partial, parts);
  for (const TextRange& part : parts) ranges.push_back({in_line(part.begin), in_line(part.end)});
  return ranges;
}

}  // namespace smtpscope
