#include "readers/log_postfix.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "readers/log_lines.h"
#include "readers/log_syslog_line.h"

namespace smtpscope {
namespace {

constexpr std::string_view kSmtpdRead = "< ";
constexpr std::string_view kSmtpdSaid = "> ";
constexpr std::string_view kClientConnects = "connect from ";
constexpr std::string_view kClientIsGone = "disconnect from ";
constexpr std::string_view kClientWasLost = "lost connection after ";
constexpr std::string_view kClientTimedOut = "timeout after ";
constexpr std::string_view kFromPeer = " from ";

/// "postfix/smtpd", "postfix/submission/smtpd"; the first word may be another (syslog_name).
bool is_smtpd(std::string_view program) { return program.ends_with("/smtpd"); }

/// As addresses are written in captures; the port is not always known.
std::string address_text(std::string_view address, std::string_view port) {
  const bool v6 = address.find(':') != std::string_view::npos;
  if (v6) return fmt::format("[{}]:{}", address, port.empty() ? "?" : port);
  return port.empty() ? std::string(address) : fmt::format("{}:{}", address, port);
}

constexpr std::uint16_t kSmtpdHides =
    kUnknownOctets | kUnknownReads | kUnknownContent | kUnknownCloses;

}  // namespace

bool PostfixLog::take_peer(std::string_view text, Peer& peer) {
  const std::size_t open = text.find('[');
  const std::size_t close = text.find(']', open == std::string_view::npos ? text.size() : open);
  if (close == std::string_view::npos) return false;
  peer.address = text.substr(open + 1, close - open - 1);
  text.remove_prefix(close + 1);
  peer.port = {};
  if (text.size() > 1 && text[0] == ':' && is_digit(text[1])) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    peer.port = text.substr(1, end - 1);
    text.remove_prefix(end);
  }
  peer.behind = text;
  return !peer.address.empty();
}

bool PostfixLog::recognises(std::string_view beginning) {
  // The date does not matter here.
  LogStamps stamps{WallTime{}};
  return any_line(beginning, [&](std::string_view line) {
    const auto read = read_syslog_line(line, stamps);
    Peer peer;
    if (!read || !is_smtpd(read->program) || !take_peer(read->message, peer)) return false;
    return read->message.starts_with(kSmtpdRead) || read->message.starts_with(kSmtpdSaid);
  });
}

void PostfixLog::read(std::string_view line) {
  if (line.empty()) return;
  const auto parsed = read_syslog_line(line, stamps_);
  if (!parsed) {
    run_.unreadable("it does not begin with a time, a host and a program");
    return;
  }
  if (!is_smtpd(parsed->program)) return;
  const std::string_view message = parsed->message;
  if (message.starts_with(kSmtpdRead)) {
    dialogue(*parsed, Side::kClient);
  } else if (message.starts_with(kSmtpdSaid)) {
    dialogue(*parsed, Side::kServer);
  } else if (Peer peer; message.starts_with(kClientConnects) &&
                        take_peer(message.substr(kClientConnects.size()), peer)) {
    open(*parsed, peer, /*mid_session=*/false, run_.time_of(parsed->stamp));
  } else {
    end(*parsed);
  }
}

const std::string& PostfixLog::key_of(const SyslogLine& line, const Peer& peer) {
  key_ = fmt::format("{} {} {}", line.process, peer.address, peer.port);
  return key_;
}

LogSession& PostfixLog::open(const SyslogLine& line, const Peer& peer, bool mid_session, Time now) {
  return sessions_.open(key_of(line, peer),
                        {.client = address_text(peer.address, peer.port),
                         .server = std::string(line.host),
                         .fidelity = {.unknown = kSmtpdHides,
                                      .resolution = line.stamp.resolution,
                                      .inside_tls = true},
                         .mid_session = mid_session},
                        now);
}

LogSession& PostfixLog::session_of(const SyslogLine& line, const Peer& peer, Time now) {
  if (LogSession* session = sessions_.find(key_of(line, peer))) return *session;
  return open(line, peer, /*mid_session=*/true, now);
}

void PostfixLog::dialogue(const SyslogLine& line, Side from) {
  Peer peer;
  // smtpd also logs what it says to a content filter ("> 127.0.0.1:10025: …"), which has no name
  // with an address behind it.
  if (!take_peer(line.message.substr(kSmtpdRead.size()), peer)) return;
  if (!peer.behind.starts_with(":")) return;
  std::string_view said = peer.behind.substr(1);
  if (said.starts_with(' ')) said.remove_prefix(1);
  const Time now = run_.time_of(line.stamp);
  session_of(line, peer, now).say(from, said, now);
}

/// "lost connection after DATA (400 bytes) from client[192.0.2.10]", and what else ends a session.
void PostfixLog::end(const SyslogLine& line) {
  const std::string_view message = line.message;
  const bool lost = message.starts_with(kClientWasLost);
  const bool timed_out = message.starts_with(kClientTimedOut);
  const bool over = message.starts_with(kClientIsGone);
  if (!lost && !timed_out && !over) return;
  Peer peer;
  const std::size_t from = over ? message.find(kFromPeer) : message.rfind(kFromPeer);
  if (from == std::string_view::npos || !take_peer(message.substr(from + kFromPeer.size()), peer)) {
    return;
  }
  const Time now = run_.time_of(line.stamp);
  LogSession* session = sessions_.find(key_of(line, peer));
  if (session == nullptr) return;
  if (over) {
    sessions_.end(key_of(line, peer), now);
    return;
  }
  session->close(lost ? Side::kClient : Side::kServer, CloseKind::kFin, message.substr(0, from),
                 now);
}

}  // namespace smtpscope
