#include "readers/text/dialogue_book.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "readers/text/ehlo_lines.h"
#include "readers/text/line_content.h"
#include "readers/text/log_lines.h"
#include "readers/text/program_words.h"

namespace smtpscope {
namespace {

/// Whose program prints it; empty where it may be either's, or a third one's.
std::optional<Side> told_by(const DialogueBook::Traits& traits) {
  if (traits.client.empty() == traits.server.empty()) return std::nullopt;
  return traits.client.empty() ? Side::kServer : Side::kClient;
}

}  // namespace

void DialogueBook::at(const std::optional<LogStamp>& stamp) {
  if (!stamp) return;
  now_ = run_.time_of(*stamp);
  resolution_ = stamp->resolution;
}

Time DialogueBook::now() { return now_ ? *now_ : run_.without_times(latest_); }

void DialogueBook::announce(std::string_view key, std::string_view server,
                            std::string_view client) {
  end(key);
  told_ = true;
  if (peers_.size() >= kMaxPeers) peers_.clear();
  peers_[std::string(key)] = {std::string(server), std::string(client)};
}

void DialogueBook::announce_rest(std::string_view key, std::string_view server,
                                 std::string_view client) {
  announce(key, server, client);
  peers_[std::string(key)].beginning = false;
}

void DialogueBook::connected(std::string_view key, std::string_view server,
                             std::string_view client) {
  const auto known = peers_.find(std::string(key));
  // A client that spoke at once: the same id is the same session.
  if (const LogSession* session = sessions_.find(key); session != nullptr && !key.empty() &&
                                                       session->last_speaker() == Side::kClient &&
                                                       !session->server_spoke()) {
    told_ = true;
    return;
  }
  const bool better = !server.empty() || !client.empty() || known == peers_.end();
  if (better) announce(key, server, client);
  open(key, /*mid_session=*/false);
}

LogSession& DialogueBook::open(std::string_view key, bool mid_session,
                               std::string_view unreachable) {
  told_ = true;
  Peers peers;
  if (const auto known = peers_.find(std::string(key)); known != peers_.end()) {
    peers = std::move(known->second);
    mid_session = !peers.beginning;
    peers_.erase(known);
  }
  if (peers.server.empty()) peers.server = traits_.server;
  if (peers.client.empty()) peers.client = traits_.client;
  const std::uint16_t unknown =
      now_ ? traits_.unknown : static_cast<std::uint16_t>(traits_.unknown | kUnknownTimes);
  return sessions_.open(key,
                        {.client = peers.client,
                         .server = peers.server,
                         .fidelity = {.unknown = unknown,
                                      .resolution = now_ ? resolution_ : Duration{},
                                      .inside_tls = true},
                         .mid_session = mid_session,
                         .message_lines = traits_.message_lines,
                         .told_by = told_by(traits_),
                         .unreachable = std::string(unreachable)},
                        now());
}

bool DialogueBook::begins_another(const LogSession& session, Side from,
                                  std::string_view line) const {
  if (!session.last_speaker() || !session.server_was_heard()) return false;
  if (from == Side::kClient) return session.over() && !session.sending_message();
  if (!line.starts_with("220") || session.sending_message() || session.reply_open()) return false;
  // Of a client that is not shown nobody knows what it said before.
  if (hidden_ == Side::kClient && line.find("TLS") < line.size()) return false;
  // 220 answers these, too (RFC 3207 4; Postfix's XCLIENT; RFC 2645 4).
  const std::string& verb = session.last_verb();
  if (verb == "STARTTLS" || verb == "XCLIENT" || verb == "ATRN" || verb == "X-ANONYMOUSTLS") {
    return false;
  }
  return session.over() || session.all_answered() || line.find("SMTP") != std::string_view::npos;
}

void DialogueBook::say(std::string_view key, Side from, std::string_view line) {
  told_ = true;
  LogSession* session = sessions_.find(key);
  // Of an id the server's first words belong to what its client has said.
  const bool first_words = session != nullptr && !key.empty() && !session->server_spoke();
  if (session != nullptr && !first_words && begins_another(*session, from, line)) {
    end(key);
    session = nullptr;
  }
  if (session == nullptr) {
    // A text may begin anywhere. Where the greeting is, the beginning is.
    const bool greets =
        from == Side::kServer &&
        (line.starts_with("220") || line.starts_with("554") || line.starts_with("421"));
    session = &open(key, /*mid_session=*/!greets);
  }
  const bool goes_on = session->last_speaker() == from &&
                       (from == Side::kClient ? session->sending_message() : session->reply_open());
  if (hidden_ && *hidden_ != from && session->last_speaker() && !goes_on)
    session->miss(*hidden_, now());
  if (from == Side::kClient) {
    // Whoever answers has read the reply to its end: its last lines are not in the text.
    if (session->reply_open()) session->miss_end_of_reply(now());
    session->say(from, line, now());
    return;
  }
  if (!session->reply_open() && say_ehlo_reply(*session, line)) return;
  for (const std::string_view each : unglued_reply(line)) session->say(from, each, now());
}

/// False: it is not one that a program has written as a single line.
bool DialogueBook::say_ehlo_reply(LogSession& session, std::string_view line) {
  constexpr std::string_view kGoesOn = "250-";
  constexpr std::size_t kNoChance = 4;  // AUTH and SIZE may stand in one line with a name
  if (session.last_verb() != "EHLO" || !line.starts_with(kGoesOn)) return false;
  if (line.find(kGoesOn, kGoesOn.size()) != std::string_view::npos) return false;
  const std::vector<std::string> lines = ehlo_lines(line.substr(kGoesOn.size()));
  if (lines.size() < kNoChance) return false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const char sign = i + 1 < lines.size() ? '-' : ' ';
    session.say(Side::kServer, fmt::format("250{}{}", sign, lines[i]), now());
  }
  return true;
}

void DialogueBook::skip_message(std::string_view key) {
  told_ = true;
  if (LogSession* session = sessions_.find(key)) session->skip_message(now());
}

void DialogueBook::omit_on_only() {
  const std::string* key = sessions_.only_key();
  if (key == nullptr) return;
  told_ = true;
  find(*key)->omit(now());
}

void DialogueBook::remark(std::string_view key, std::string_view text) {
  told_ = true;
  const auto words = program_words(text);
  if (LogSession* session = sessions_.find(key)) {
    if (words) session->remark(words->kind, words->length, text, now());
  } else if (peers_.contains(std::string(key)) && says_unreachable(text)) {
    open(key, /*mid_session=*/false, text);
    end(key);
  } else if (sessions_.empty() && words) {
    early_remark_ = text;
  }
}

void DialogueBook::remark_on_only(std::string_view text) {
  if (sessions_.size() > 1) return;
  if (!sessions_.empty()) return remark(std::string(*sessions_.only_key()), text);
  peers_.size() == 1 ? remark(std::string(peers_.begin()->first), text) : remark("", text);
}

void DialogueBook::close(std::string_view key, Side from, std::string_view reason) {
  told_ = true;
  LogSession* session = sessions_.find(key);
  if (session == nullptr) return;
  if (!reason.empty()) {
    const auto words = program_words(reason).value_or(ProgramWords{RemarkKind::kClosed});
    session->remark(words.kind, words.length, reason, now());
  }
  session->close(from, CloseKind::kFin, {}, now());
}

void DialogueBook::fail_handshake(std::string_view key, std::optional<Side> failed_by,
                                  std::string_view why) {
  told_ = true;
  LogSession* session = sessions_.find(key);
  if (session == nullptr) return;
  if (program_words(why)) session->remark(RemarkKind::kTlsFailed, {}, why, now());
  session->fail_handshake(failed_by, why, now());
}

void DialogueBook::end(std::string_view key) {
  LogSession* session = sessions_.find(key);
  if (session == nullptr) return;
  told_ = true;
  if (const std::string early = std::exchange(early_remark_, {}); !early.empty()) {
    const auto words = program_words(early);
    if (words) session->remark(words->kind, words->length, early, now());
  }
  sessions_.end(key, now());
}

void DialogueBook::finish() {
  if (!early_remark_.empty() && sessions_.size() == 1) {
    remark(std::string(*sessions_.only_key()), std::exchange(early_remark_, {}));
  }
  sessions_.end_all();
}

}  // namespace smtpscope
