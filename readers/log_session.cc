#include "readers/log_session.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"
#include "base/octets.h"

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
      hidden_((beginning.fidelity.unknown & kUnknownContent) != 0) {
  SessionOpened opened{.client = beginning.client, .listener = {}, .upstream = beginning.server};
  opened.mid_session = beginning.mid_session;
  opened.fidelity = beginning.fidelity;
  run_.emit(id_, last_, opened);
  if (!beginning.mid_session) run_.emit(id_, last_, UpstreamConnected{.server = beginning.server});
}

void LogSession::say(Side from, std::string_view line, Time now) {
  last_ = std::max(last_, now);
  from == Side::kClient ? client_line(line) : server_line(line);
  last_speaker_ = from;
}

void LogSession::client_line(std::string_view line) {
  secret_asked_ = false;
  if (awaits_end_ && line == ".") {
    end_hidden_message();
    return;
  }
  octets_ = line;
  octets_ += kLineEnd;
  send(Side::kClient, octets_);
  if (in_message_) {
    in_message_ = line != ".";
    return;
  }
  const std::string_view verb = line.substr(0, line.find(' '));
  if (equal_ignoring_case(verb, "DATA")) data_asked_ = true;
  if (equal_ignoring_case(verb, "QUIT")) quit_said_ = true;
  if (equal_ignoring_case(verb, "BDAT") && hidden_) {
    chunk(line.substr(std::min(line.size(), verb.size() + 1)));
  }
}

void LogSession::server_line(std::string_view line) {
  // Whatever the server says now answers the end of the message, which must have come. But it may
  // give up a session at any time (RFC 5321 3.8).
  if (awaits_end_ && !line.starts_with("421")) end_hidden_message();
  if (secret_asked_) send_secret();
  octets_ = line;
  octets_ += kLineEnd;
  send(Side::kServer, octets_);
  // RFC 4954 4: behind 334 it is the client's turn.
  secret_asked_ = line.starts_with("334");
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
  leave_out(0, unseen(MessageScanner::Framing::kDotTerminated, 0), kEndOfData);
}

void LogSession::send_secret() {
  constexpr std::string_view kSecret = "########\r\n";
  static constexpr Masked kMask{.offset = 0, .octets = kSecret.size() - kLineEnd.size()};
  Bytes bytes;
  bytes.from = Side::kClient;
  bytes.head = octets_of(kSecret);
  bytes.masked = std::span(&kMask, 1);
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

void LogSession::end(Time now) {
  last_ = std::max(last_, now);
  run_.emit(id_, last_, SessionEnded{});
}

}  // namespace smtpscope
