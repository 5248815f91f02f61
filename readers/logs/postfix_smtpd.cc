#include "readers/logs/postfix_smtpd.h"

#include <fmt/format.h>

#include <array>

#include "base/ascii.h"
#include "readers/text/line_content.h"
#include "readers/text/log_lines.h"
#include "readers/text/log_syslog_line.h"
#include "readers/text/program_words.h"

namespace smtpscope {
namespace {

constexpr std::string_view kSmtpdRead = "< ";
constexpr std::string_view kSmtpdSaid = "> ";
constexpr std::string_view kClientConnects = "connect from ";
constexpr std::string_view kClientIsGone = "disconnect from ";
constexpr std::string_view kClientWasLost = "lost connection after ";
constexpr std::string_view kClientTimedOut = "timeout after ";
constexpr std::string_view kTooManyErrors = "too many errors after ";
constexpr std::string_view kDidNotWait = "improper command pipelining after ";
constexpr std::string_view kFromPeer = " from ";
constexpr std::string_view kReject = "reject: ";
constexpr std::string_view kSmtpdNoHandshake = "SSL_accept error from ";

/// "warning: client[192.0.2.1]: SASL LOGIN authentication failed: text"
constexpr std::string_view kLoginFailed = " authentication failed: ";

/// Containers write the line's level in the place of the host.
bool is_level(std::string_view host) {
  constexpr std::array<std::string_view, 7> kLevels = {"INFO",  "DEBUG", "WARNING", "WARN",
                                                       "ERROR", "FATAL", "NOTICE"};
  return std::find(kLevels.begin(), kLevels.end(), host) != kLevels.end();
}

/// The value of "name=<value>" in what Postfix says of a refused command, with its brackets.
std::string_view bracketed(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  const std::size_t end = text.find('>');
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

/// "QID: reject: RCPT from …": where its verb begins; npos if it is no refusal.
std::size_t refusal_at(std::string_view message) {
  const std::size_t at = message.find(kReject);
  // "milter-reject: " is one, "proxy-reject: " too.
  constexpr std::size_t kFurthest = 40;
  return at > kFurthest ? std::string_view::npos : at + kReject.size();  // or there is none
}

template <typename Map>
void forget_if_many(Map& map, std::size_t most) {
  if (map.size() >= most) map.clear();
}

}  // namespace

bool PostfixSmtpd::recognises(std::string_view message) {
  PostfixPeer peer;
  if (!take_postfix_peer(message, peer)) return false;
  return message.starts_with(kSmtpdRead) || message.starts_with(kSmtpdSaid) ||
         message.starts_with(kClientConnects) || message.starts_with(kClientIsGone) ||
         message.starts_with(kClientWasLost) || message.starts_with(kClientTimedOut) ||
         message.starts_with(kDidNotWait) || refusal_at(message) != std::string_view::npos ||
         message.find(kLoginFailed) != std::string_view::npos;
}

void PostfixSmtpd::read(const SyslogLine& line) {
  const std::string_view message = line.message;
  if (message.starts_with(kSmtpdRead)) {
    dialogue(line, Side::kClient);
  } else if (message.starts_with(kSmtpdSaid)) {
    dialogue(line, Side::kServer);
  } else if (message.starts_with(kClientConnects)) {
    PostfixPeer peer;
    if (take_postfix_peer(message.substr(kClientConnects.size()), peer)) connected(line, peer);
  } else if (message.starts_with(kClientIsGone) || message.starts_with(kClientWasLost) ||
             message.starts_with(kClientTimedOut) || message.starts_with(kTooManyErrors)) {
    ended(line);
  } else if (message.starts_with(kDidNotWait)) {
    did_not_wait(line);
  } else if (message.starts_with(kSmtpdNoHandshake)) {
    failed_handshake(line);
  } else if (message.starts_with("fatal: ") || message.starts_with("panic: ")) {
    died(line);
  } else if (message.starts_with("warning: ")) {
    message.find(kLoginFailed) != std::string_view::npos ? failed_login(line) : warned(line);
  } else if (const std::size_t at = refusal_at(message); at != std::string_view::npos) {
    refusal(line, message.substr(at));
  }
}

const std::string& PostfixSmtpd::key_of(const SyslogLine& line, const PostfixPeer& peer) {
  key_.assign(line.process).append(" ").append(peer.address).append(" ").append(peer.port);
  return key_;
}

void PostfixSmtpd::connected(const SyslogLine& line, const PostfixPeer& peer) {
  const Time now = run_.time_of(line.stamp);
  const std::string& key = key_of(line, peer);
  if (sessions_.find(key) != nullptr) sessions_.end(key, now);
  forget_if_many(connections_, kMostConnections);
  forget_if_many(last_key_, kMostConnections);
  connections_[key] = {postfix_address(peer), is_level(line.host) ? "" : std::string(line.host),
                       now};
  last_key_[std::string(line.process)] = key;
  verbose_.erase(key);
}

LogSession& PostfixSmtpd::session_of(const SyslogLine& line, const PostfixPeer& peer,
                                     bool dialogue) {
  const std::string& key = key_of(line, peer);
  if (LogSession* session = sessions_.find(key)) return *session;
  const Time now = run_.time_of(line.stamp);
  Connection connection{postfix_address(peer), is_level(line.host) ? "" : std::string(line.host),
                        now};
  // Without its dialogue it is as if the log had begun after the greeting, and with this line: what
  // went on before, and who was silent then, nobody knows.
  bool mid_session = true;
  if (const auto known = connections_.find(key); known != connections_.end()) {
    connection = std::move(known->second);
    connections_.erase(known);
    mid_session = !dialogue;
    if (mid_session) connection.opened = now;
  }
  forget_if_many(verbose_, kMostConnections);
  verbose_[key] = dialogue;
  forget_if_many(last_key_, kMostConnections);
  last_key_[std::string(line.process)] = key;
  return sessions_.open(key,
                        {.client = connection.client,
                         .server = connection.server,
                         .fidelity = {.unknown = kPostfixHides,
                                      .resolution = line.stamp.resolution,
                                      .inside_tls = true},
                         .mid_session = mid_session,
                         .told_by = Side::kServer},
                        connection.opened);
}

bool PostfixSmtpd::shows_all(const SyslogLine& line, const PostfixPeer& peer) {
  const auto known = verbose_.find(key_of(line, peer));
  return known != verbose_.end() && known->second;
}

void PostfixSmtpd::dialogue(const SyslogLine& line, Side from) {
  PostfixPeer peer;
  // smtpd also logs what it says to a content filter ("> 127.0.0.1:10025: …"), which has no name
  // with an address behind it.
  if (!take_postfix_peer(line.message.substr(kSmtpdRead.size()), peer)) return;
  if (!peer.behind.starts_with(":")) return;
  std::string_view said = peer.behind.substr(1);
  if (said.starts_with(' ')) said.remove_prefix(1);
  session_of(line, peer, /*dialogue=*/true).say(from, said, run_.time_of(line.stamp));
}

/// "RCPT from client[192.0.2.1]: 554 5.7.1 <x>: Relay access denied; from=<a> to=<b> …"
void PostfixSmtpd::refusal(const SyslogLine& line, std::string_view text) {
  const std::string_view verb = text.substr(0, text.find(' '));
  PostfixPeer peer;
  const std::size_t from = text.find(kFromPeer);
  if (from == std::string_view::npos || !take_postfix_peer(text.substr(from), peer)) return;
  if (!peer.behind.starts_with(": ") || shows_all(line, peer)) return;
  const std::string_view behind = peer.behind.substr(2);
  const std::size_t facts = std::min(behind.find("; from=<"), behind.find("; proto="));
  std::string reply(behind.substr(0, facts));
  const std::string_view known =
      facts == std::string_view::npos ? std::string_view() : behind.substr(facts);
  if (!is_reply_line(reply)) {
    // A milter's has the enhanced code alone.
    if (reply.empty() || (reply[0] != '4' && reply[0] != '5')) return;
    reply = fmt::format("{} {}", reply[0] == '4' ? "451" : "550", reply);
  }
  const Time now = run_.time_of(line.stamp);
  LogSession& session = session_of(line, peer, /*dialogue=*/false);
  const auto say = [&](std::string_view command) { session.say(Side::kClient, command, now); };
  if (verb == "RCPT") {
    say(fmt::format("RCPT TO:{}", bracketed(known, " to=")));
  } else if (verb == "MAIL") {
    say(fmt::format("MAIL FROM:{}", bracketed(known, " from=")));
  } else if (verb == "EHLO" || verb == "HELO") {
    std::string_view name = bracketed(known, " helo=");
    if (name.size() > 2) name = name.substr(1, name.size() - 2);
    say(fmt::format("{} {}", verb, name));
  } else if (verb == "END-OF-MESSAGE") {
    say("DATA");
    session.say(Side::kServer, "354 End data with <CR><LF>.<CR><LF>", now);
  } else if (verb != "CONNECT") {
    say(verb);
  }
  session.say(Side::kServer, reply, now);
}

void PostfixSmtpd::failed_login(const SyslogLine& line) {
  PostfixPeer peer;
  if (!take_postfix_peer(line.message, peer) || shows_all(line, peer)) return;
  const std::string_view mechanism = between(peer.behind, "SASL ", kLoginFailed);
  if (mechanism.empty()) return;
  const std::string_view why =
      peer.behind.substr(peer.behind.find(kLoginFailed) + kLoginFailed.size());
  const Time now = run_.time_of(line.stamp);
  LogSession& session = session_of(line, peer, /*dialogue=*/false);
  session.say(Side::kClient, fmt::format("AUTH {}", mechanism), now);
  session.say(
      Side::kServer,
      fmt::format("535 5.7.8 Error: authentication failed: {}", why.substr(0, why.find(", sasl_"))),
      now);
}

/// "lost connection after DATA (400 bytes) from client[192.0.2.10]", and what else ends a session.
void PostfixSmtpd::ended(const SyslogLine& line) {
  const std::string_view message = line.message;
  const bool lost = message.starts_with(kClientWasLost);
  const bool over = message.starts_with(kClientIsGone);
  PostfixPeer peer;
  const std::size_t from = over ? message.find(kFromPeer) : message.rfind(kFromPeer);
  if (from == std::string_view::npos ||
      !take_postfix_peer(message.substr(from + kFromPeer.size()), peer)) {
    return;
  }
  const Time now = run_.time_of(line.stamp);
  const std::string& key = key_of(line, peer);
  if (over) {
    if (connections_.erase(key) > 0) ++untold_;
    if (sessions_.find(key) != nullptr) sessions_.end(key, now);
    return;
  }
  // A probe says nothing and goes.
  const bool silent = lost && message.starts_with("lost connection after CONNECT");
  if (silent && sessions_.find(key) == nullptr) return;
  const bool timed_out = message.starts_with(kClientTimedOut);
  LogSession& session = session_of(line, peer, /*dialogue=*/false);
  session.remark(lost        ? RemarkKind::kLostConnection
                 : timed_out ? RemarkKind::kTimeout
                             : RemarkKind::kException,
                 {}, message.substr(0, from), now);
  session.close(lost ? Side::kClient : Side::kServer, CloseKind::kFin, {}, now);
}

/// "improper command pipelining after EHLO from client[192.0.2.10]: MAIL FROM:<…": what came of it,
/// if anything, is said by a refusal.
void PostfixSmtpd::did_not_wait(const SyslogLine& line) {
  const std::size_t from = line.message.find(kFromPeer);
  PostfixPeer peer;
  if (from == std::string_view::npos ||
      !take_postfix_peer(line.message.substr(from + kFromPeer.size()), peer)) {
    return;
  }
  session_of(line, peer, /*dialogue=*/false)
      .remark(RemarkKind::kPipelining, {}, line.message.substr(0, from), run_.time_of(line.stamp));
}

void PostfixSmtpd::failed_handshake(const SyslogLine& line) {
  PostfixPeer peer;
  if (!take_postfix_peer(line.message.substr(kSmtpdNoHandshake.size()), peer)) return;
  const Time now = run_.time_of(line.stamp);
  LogSession& session = session_of(line, peer, /*dialogue=*/false);
  session.remark(RemarkKind::kTlsFailed, {}, line.message, now);
  session.fail_handshake(std::nullopt, line.message, now);
}

/// The session that this process is in; nullptr if the log does not tell of one.
LogSession* PostfixSmtpd::session_of_process(const SyslogLine& line) {
  const auto key = last_key_.find(std::string(line.process));
  if (key == last_key_.end()) return nullptr;
  if (LogSession* session = sessions_.find(key->second)) return session;
  const auto known = connections_.find(key->second);
  if (known == connections_.end()) return nullptr;
  LogSession& session = sessions_.open(key->second,
                                       {.client = known->second.client,
                                        .server = known->second.server,
                                        .fidelity = {.unknown = kPostfixHides,
                                                     .resolution = line.stamp.resolution,
                                                     .inside_tls = true},
                                        .told_by = Side::kServer},
                                       known->second.opened);
  connections_.erase(known);
  return &session;
}

/// It ends without a word to its client: "fatal: no SASL authentication mechanisms".
void PostfixSmtpd::died(const SyslogLine& line) {
  LogSession* session = session_of_process(line);
  if (session == nullptr) return;
  const Time now = run_.time_of(line.stamp);
  const auto words = program_words(line.message);
  if (words) session->remark(words->kind, words->length, line.message, now);
  session->close(Side::kServer, CloseKind::kFin, words ? std::string_view() : line.message, now);
  sessions_.end(last_key_[std::string(line.process)], now);
}

/// "warning: SASL: Connect to private/auth failed: Connection refused": the session goes on.
void PostfixSmtpd::warned(const SyslogLine& line) {
  const auto words = program_words(line.message);
  if (!words || words->kind != RemarkKind::kLoginBackend) return;
  if (LogSession* session = session_of_process(line)) {
    session->remark(words->kind, words->length, line.message, run_.time_of(line.stamp));
  }
}

void PostfixSmtpd::finish() {
  sessions_.forget_all();
  untold_ += connections_.size();
  if (untold_ > 0) {
    run_.note(
        fmt::format("of {} connection{} it tells nothing but that there {}: smtpd -v, or "
                    "debug_peer_list, logs the dialogue",
                    untold_, untold_ == 1 ? "" : "s", untold_ == 1 ? "was one" : "were some"));
  }
}

}  // namespace smtpscope
