#include "readers/text/log_session.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/octets.h"
#include "readers/text/blotted.h"
#include "readers/text/line_content.h"
#include "readers/text/log_lines.h"
#include "readers/text/shown_secrets.h"

namespace smtpscope {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kEndOfData = ".\r\n";  // RFC 5321 4.1.1.4, behind a line's end

/// A state of the scanner of which nothing is known but how many octets it has seen.
MessageScanner::Saved unseen(MessageScanner::Framing framing, std::uint64_t octets) {
  MessageScanner::Saved saved = MessageScanner(framing).save();
  saved.facts.unseen = true;
  saved.facts.octets = saved.wire_octets = octets;
  saved.header = HeaderScanner::stopped();
  return saved;
}

}  // namespace

LogSession::LogSession(LogRun& run, const Beginning& beginning, Time now)
    : run_(run),
      id_(run.next_session()),
      last_(now),
      hidden_((beginning.fidelity.unknown & kUnknownContent) != 0),
      message_lines_(beginning.message_lines),
      told_by_(beginning.told_by),
      server_was_heard_(beginning.mid_session),
      owed_(beginning.mid_session ? 0 : 1) {
  SessionOpened opened{.client = beginning.client, .listener = {}, .upstream = beginning.server};
  opened.mid_session = beginning.mid_session;
  opened.fidelity = beginning.fidelity;
  run_.emit(id_, last_, opened);
  if (!beginning.unreachable.empty()) {
    const std::string reason = without_secrets(beginning.unreachable);
    run_.emit(id_, last_, UpstreamFailed{.reason = reason});
  } else if (!beginning.mid_session) {
    run_.emit(id_, last_, UpstreamConnected{.server = beginning.server});
  }
}

void LogSession::say(Side from, std::string_view line, Time now) {
  last_ = std::max(last_, now);
  from == Side::kClient ? client_line(line) : server_line(line);
  last_speaker_ = from;
  if (std::exchange(has_remarked_, false)) remarked_.fill({});
  omitted_ = false;
}

void LogSession::client_line(std::string_view line) {
  if (awaits_end_ && line == ".") {
    end_hidden_message();
    return;
  }
  if (awaits_end_ && message_lines_ == MessageLines::kSome) return;
  // What a log without messages has here comes behind the message.
  end_hidden_message();
  if (!in_message_) {
    command(line);
    return;
  }
  octets_ = line;
  octets_ += kLineEnd;
  send(Side::kClient, octets_);
  in_message_ = line != ".";
  if (!in_message_) ++owed_;
}

void LogSession::command(std::string_view line) {
  const bool answer = std::exchange(secret_asked_, false);
  octets_ = line;
  std::string_view verb = line.substr(0, line.find(' '));
  const bool mail = equal_ignoring_case(verb, "MAIL");
  if (mail || equal_ignoring_case(verb, "RCPT")) {
    if (replace_blotted_path(octets_, blotted_)) ++blotted_;
  }
  const bool hello = equal_ignoring_case(verb, "EHLO") || equal_ignoring_case(verb, "HELO");
  if (hello) {
    replace_blotted_name(octets_, verb.size() + 1, "client.redacted.invalid", /*alone=*/true);
  }
  octets_ += kLineEnd;
  send(Side::kClient, octets_);
  ++owed_;
  // Some servers say good-bye to one that stands in place of an answer, too.
  quit_said_ = quit_said_ || equal_ignoring_case(line, "QUIT");
  if (answer) return;
  last_verb_ = in_upper_case(verb);
  if (last_verb_ == "DATA") data_asked_ = true;
  if (last_verb_ == "BDAT" && hidden_) chunk(line.substr(std::min(line.size(), verb.size() + 1)));
}

void LogSession::server_line(std::string_view line) {
  // Whatever the server says now answers the end of the message, which must have come. But it may
  // give up a session at any time (RFC 5321 3.8).
  if (awaits_end_ && !line.starts_with("421")) end_hidden_message();
  if (secret_asked_) send_secret();
  // A line without a code neither goes on with a reply nor ends it.
  const bool coded = is_reply_line(line);
  const bool last_line = coded && (line.size() == 3 || line[3] != '-');
  const bool goes_on = reply_open_;
  const bool server_spoke = server_spoke_;
  if (last_line && owed_ > 0) --owed_;
  server_was_heard_ = server_spoke_ = true;
  if (coded) reply_open_ = !last_line;
  farewell_ = farewell_ || (quit_said_ && last_line && line.starts_with("221"));
  octets_ = line;
  // The greeting, and the first line that answers EHLO, begin with the server's name.
  if (coded && (!server_spoke || (last_verb_ == "EHLO" && !goes_on))) {
    replace_blotted_name(octets_, 4, "server.redacted.invalid", /*alone=*/false);
  }
  // The text may not show what the client sent: then nobody knows it where it is repeated.
  if (line.starts_with('4') || line.starts_with('5')) octets_ = without_secrets(octets_);
  octets_ += kLineEnd;
  send(Side::kServer, octets_);
  // RFC 4954 4: behind 334 it is the client's turn.
  secret_asked_ = last_line && line.starts_with("334");
  // RFC 5321 4.3.2: behind 354 the client sends its message.
  if (data_asked_ && line.starts_with("354")) {
    data_asked_ = false;
    (hidden_ ? awaits_end_ : in_message_) = true;
  }
}

void LogSession::skip_message(Time now) {
  last_ = std::max(last_, now);
  if (in_message_) awaits_end_ = true;
  in_message_ = false;
  end_hidden_message();
}

void LogSession::chunk(std::string_view arguments) {
  std::uint64_t octets = 0;
  const char* const end = arguments.data() + arguments.size();
  const auto [behind, error] = std::from_chars(arguments.data(), end, octets);
  // What is no BDAT is followed by nothing. A message of more than that nobody has sent.
  constexpr std::uint64_t kMostOctets = std::uint64_t{1} << 60;
  if (error != std::errc() || octets > kMostOctets - chunked_) return;
  const std::string_view keyword =
      arguments.substr(static_cast<std::size_t>(behind - arguments.data()));
  chunked_ += octets;
  if (octets > 0) leave_out(octets, unseen(MessageScanner::Framing::kCounted, chunked_), {});
  // RFC 3030 2: the last chunk says so.
  if (!keyword.empty()) chunked_ = 0;
}

void LogSession::end_hidden_message() {
  if (!awaits_end_) return;
  awaits_end_ = false;
  last_speaker_ = Side::kClient;
  ++owed_;
  leave_out(0, unseen(MessageScanner::Framing::kDotTerminated, 0), kEndOfData);
}

void LogSession::send_secret() {
  constexpr std::string_view kSecret = "########\r\n";
  static constexpr Masked kMask{.offset = 0, .octets = kSecret.size() - kLineEnd.size()};
  Bytes bytes;
  bytes.from = Side::kClient;
  bytes.head = octets_of(kSecret);
  bytes.masked = std::span(&kMask, 1);
  ++owed_;
  run_.emit(id_, last_, bytes);
}

void LogSession::leave_out(std::uint64_t octets, const MessageScanner::Saved& after,
                           std::string_view tail) {
  const std::optional<MessageScanner> scanner = MessageScanner::restore(after);
  if (!scanner) return;
  Bytes bytes;
  bytes.from = Side::kClient;
  bytes.left_out = std::make_shared<const LeftOut>(LeftOut{octets, *scanner});
  bytes.tail = octets_of(tail);
  run_.emit(id_, last_, bytes);
}

void LogSession::send(Side from, std::string_view octets) {
  Bytes bytes;
  bytes.from = from;
  bytes.head = octets_of(octets);
  run_.emit(id_, last_, bytes);
}

void LogSession::close(Side from, CloseKind kind, std::string_view reason, Time now) {
  last_ = std::max(last_, now);
  run_.emit(id_, last_, Closed{.from = from, .kind = kind, .reason = reason});
}

void LogSession::remark(RemarkKind kind, std::optional<Duration> length, std::string_view text,
                        Time now) {
  text = trimmed_blanks(text);
  std::string& said = remarked_[static_cast<std::size_t>(kind)];
  if (!said.empty() && (said.find(text) != std::string::npos || text.find(said) < text.size())) {
    return;
  }
  said = text;
  has_remarked_ = true;
  last_ = std::max(last_, now);
  // A reply is held back: what it answers has come.
  if (kind == RemarkKind::kTarpit) end_hidden_message();
  const std::string shown = without_secrets(text);
  run_.emit(id_, last_, Remark{.kind = kind, .by = told_by_, .length = length, .text = shown});
}

void LogSession::miss(Side from, Time now) {
  last_ = std::max(last_, now);
  run_.emit(id_, last_, Gap{.from = from, .why = "the text shows the other side only"});
}

void LogSession::miss_end_of_reply(Time now) {
  last_ = std::max(last_, now);
  reply_open_ = false;
  if (owed_ > 0) --owed_;
  run_.emit(id_, last_,
            Gap{.from = Side::kServer, .why = "the text has only the beginning of this reply"});
}

void LogSession::omit(Time now) {
  if (sending_message() || over() || std::exchange(omitted_, true)) return;
  last_ = std::max(last_, now);
  // What is owed and what was asked for may have come there.
  owed_ = 0;
  server_was_heard_ = true;
  reply_open_ = data_asked_ = secret_asked_ = false;
  last_verb_.clear();
  run_.emit(id_, last_, Gap{.from = {}, .why = "whoever copied the text left lines out here"});
}

void LogSession::fail_handshake(std::optional<Side> failed_by, std::string_view why, Time now) {
  if (std::exchange(handshake_failed_, true)) return;
  last_ = std::max(last_, now);
  auto facts = std::make_shared<TlsFacts>();
  facts->failure = why;
  facts->failed_by = failed_by;
  run_.emit(id_, last_, TlsHandshake{.with = Side::kServer, .took = {}, .facts = facts});
}

void LogSession::end(Time now) {
  last_ = std::max(last_, now);
  run_.emit(id_, last_, SessionEnded{});
}

}  // namespace smtpscope
