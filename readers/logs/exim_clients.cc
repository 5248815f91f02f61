#include "readers/logs/exim_clients.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "readers/text/line_content.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

/// "rejected RCPT <bob@example.net>: relay not permitted".
struct EximRefusal {
  std::string_view command;  // "RCPT <bob@example.net>", "after DATA", "EHLO or HELO x"
  std::string_view why;
  bool temporary = false;
};

std::optional<EximRefusal> refusal_in(std::string_view line) {
  constexpr std::string_view kRejected = "rejected ";
  const std::size_t at = line.find(kRejected);
  // Behind the client, which stands first: "H=(a) [192.0.2.10] F=<…> ".
  if (at == std::string_view::npos || (at > 0 && line[at - 1] != ' ')) return std::nullopt;
  EximRefusal refusal;
  refusal.temporary = line.substr(0, at).ends_with("temporarily ");
  const std::string_view behind = line.substr(at + kRejected.size());
  // A path may have colons, between its brackets.
  const std::size_t path = behind.find('>');
  const std::size_t from = path < behind.find(": ") ? path : 0;
  const std::size_t colon = behind.find(": ", from);
  if (colon == std::string_view::npos) return std::nullopt;
  refusal.command = behind.substr(0, colon);
  refusal.why = behind.substr(colon + 2);
  return refusal;
}

/// "(a.example) [192.0.2.10]:40000": the client's address.
std::string_view exim_client(std::string_view line) {
  for (std::size_t at = line.find('['); at < line.size(); at = line.find('[', at + 1)) {
    const std::size_t end = line.find(']', at);
    if (end == std::string_view::npos) break;
    const std::string_view address = line.substr(at + 1, end - at - 1);
    const bool fits = address.size() > 2 && std::all_of(address.begin(), address.end(), [](char c) {
                        return is_alphanumeric(c) || c == '.' || c == ':';
                      });
    // "[192.0.2.10]" in the name that the client gave stands in parentheses.
    const bool given = at > 0 && line[at - 1] == '(';
    if (fits && !given) return address;
  }
  return {};
}

/// How it ended, in words of Exim's own.
struct EximEnd {
  std::string_view words;
  RemarkKind kind;
  Side by;  // who closed
};
constexpr std::array kEximEnds = {
    EximEnd{"unexpected disconnection while reading SMTP command", RemarkKind::kLostConnection,
            Side::kClient},
    EximEnd{"SMTP connection lost", RemarkKind::kLostConnection, Side::kClient},
    EximEnd{"SMTP command timeout on ", RemarkKind::kTimeout, Side::kServer},
    EximEnd{"SMTP data timeout (message abandoned) on ", RemarkKind::kTimeout, Side::kServer},
    EximEnd{" dropped: too many ", RemarkKind::kException, Side::kServer},
    EximEnd{"SMTP protocol synchronization error", RemarkKind::kPipelining, Side::kServer}};

const EximEnd* end_in(std::string_view line) {
  for (const EximEnd& each : kEximEnds) {
    if (line.find(each.words) < line.size()) return &each;
  }
  return nullptr;
}

constexpr std::string_view kEximLoginFailed = " authenticator failed for ";
constexpr std::string_view kBadName = "rejected EHLO from ";
constexpr std::string_view kTlsError = "TLS error on connection from ";

/// The command of a refusal, as the client said it.
std::string command_in(std::string_view command) {
  const std::string_view argument =
      trimmed_blanks(command.substr(std::min(command.find(' '), command.size())));
  if (command.starts_with("RCPT")) return fmt::format("RCPT TO:{}", argument);
  if (command.starts_with("MAIL")) return fmt::format("MAIL FROM:{}", argument);
  constexpr std::string_view kHello = "EHLO or HELO ";
  if (command.starts_with(kHello)) return fmt::format("EHLO {}", command.substr(kHello.size()));
  constexpr std::array<std::string_view, 6> kVerbs = {"EHLO", "HELO", "AUTH",
                                                      "VRFY", "ETRN", "STARTTLS"};
  const bool known = std::any_of(kVerbs.begin(), kVerbs.end(),
                                 [&](std::string_view verb) { return command.starts_with(verb); });
  return known ? std::string(command) : std::string();
}

}  // namespace

EximClients::EximClients(LogRun& run, WallTime latest)
    : book_(run, latest, {.server = "exim", .unknown = kPrintedWithoutMessages}) {}

bool EximClients::recognises(std::string_view line) {
  if (exim_client(line).empty()) return false;
  const bool client =
      line.starts_with("H=") || line.find(" H=") < line.size() || line.starts_with(kBadName);
  return (client && refusal_in(line)) || line.find(kEximLoginFailed) < line.size() ||
         line.starts_with(kTlsError) || end_in(line) != nullptr;
}

bool EximClients::read(std::string_view line, const std::optional<LogStamp>& stamp) {
  if (!recognises(line)) return false;
  book_.at(stamp);
  const std::string client(exim_client(line));
  const auto say = [&](Side from, std::string_view text) { book_.say("", from, text); };
  const std::size_t login = line.find(kEximLoginFailed);
  const auto refusal = refusal_in(line);
  const EximEnd* end = end_in(line);
  const bool greeted = !(refusal && refusal->command.starts_with("connection"));
  greeted ? book_.announce_rest("", "", client) : book_.announce("", "", client);
  book_.connected("", {});
  if (login < line.size()) {
    say(Side::kClient, fmt::format("AUTH {} ********", in_upper_case(line.substr(0, login))));
    const std::size_t reply = line.find("]: ", login);
    const std::string_view words =
        reply < line.size() ? line.substr(reply + 3) : std::string_view("535 login failed");
    say(Side::kServer, words.substr(0, words.find(" (set_id=")));
  } else if (line.starts_with(kTlsError)) {
    book_.fail_handshake("", std::nullopt, line);
  } else if (end != nullptr) {
    book_.find("")->remark(end->kind, {}, line, book_.now());
    book_.close("", end->by, {});
  } else if (line.starts_with(kBadName)) {
    // "rejected EHLO from [192.0.2.10]: syntactically invalid argument(s): a_b"
    const std::size_t name = line.rfind(": ");
    say(Side::kClient, fmt::format("EHLO {}", line.substr(name + 2)));
    say(Side::kServer, "501 syntactically invalid EHLO argument(s)");
  } else if (refusal) {
    if (refusal->command.starts_with("after DATA")) {
      say(Side::kClient, "DATA");
      say(Side::kServer, "354 Enter message, ending with \".\" on a line by itself");
      book_.skip_message("");
    } else if (const std::string command = command_in(refusal->command); !command.empty()) {
      say(Side::kClient, command);
    }
    // The log has the words and not the code, which is this one unless an ACL names another.
    const std::string_view code = !greeted ? "554" : refusal->temporary ? "451" : "550";
    say(Side::kServer, is_reply_line(refusal->why) ? std::string(refusal->why)
                                                   : fmt::format("{} {}", code, refusal->why));
  }
  book_.end("");
  return true;
}

}  // namespace smtpscope
