#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/reaction.h"

namespace smtpscope {
namespace non_smtp_protocol {
namespace {

/// RFC 9110 9, RFC 5789.
constexpr std::array<std::string_view, 9> kHttpMethods = {
    "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"};

/// "GET /…", "GET http://…", "OPTIONS *", "CONNECT host:port". Upper case only: methods are
/// case-sensitive, and an ordinary word of a text shall not look like one.
bool is_http_request(const Command& command) {
  if (command.text.find(" HTTP/1.") != std::string_view::npos) return true;
  if (std::ranges::find(kHttpMethods, command.word) == kHttpMethods.end()) return false;
  const std::string_view target = command.arguments;
  if (command.word == "CONNECT") return target.find(':') != std::string_view::npos;
  return target.starts_with('/') || target.starts_with("http") || target == "*";
}

/// What the line is, "" if nothing that is recognised. `first`: of the session.
std::string_view protocol_of(const Command& command, bool first) {
  if (command.text.empty()) return "";
  if (is_http_request(command)) return "HTTP";
  if (command.text.starts_with("SSH-")) return "SSH";
  if (command.text.find(" SIP/2.0") != std::string_view::npos) return "SIP";
  if (!first) return "";  // further lines may be those of a message
  const std::string_view text = command.text;
  const auto octet = static_cast<std::uint8_t>(text.front());
  // MS-RDPBCGR 2.2.1.1: a TPKT header (RFC 2126 4.3) of version 3. MS-SMB2 2.2.1: 0xFE "SMB".
  if (text.starts_with(std::string_view("\x03\x00", 2))) return "RDP";
  if (text.find("SMB") < 8 && octet == 0) return "SMB";
  const bool blank = octet == ' ' || octet == '\t';
  if (!blank && (octet < 0x20 || octet > 0x7e)) return "something binary";
  // A name or a word may hold letters that are no ASCII; control characters between them are no
  // text.
  constexpr std::uint16_t kControls = kHasNul | kHasControl;
  if ((command.flags & kHasEightBit) != 0 && (command.flags & kControls) != 0) {
    return "something binary";
  }
  return "";
}

void on_command(RuleContext& context) {
  const SessionState& session = context.session();
  const Command& command = *context.command();
  const std::string_view protocol = protocol_of(command, session.last_command.entry == 0);
  if (protocol.empty()) return;
  // Lines of a message that are read as commands may quote anything.
  const UnknownRun* run = session.unknown_run.get();
  if (run != nullptr && !run->ended && run->count > 0) return;
  Finding finding = context.finding();
  finding.text = fmt::format("the client side speaks {}, not SMTP", protocol);
  if (protocol == "HTTP" || protocol == "SSH" || protocol == "SIP") {
    finding.text += fmt::format(": \"{}\"", excerpt(command.text));
  } else {
    finding.text += fmt::format("; the first octet is 0x{:02x}",
                                static_cast<std::uint8_t>(command.text.front()));
    finding.certainty = Certainty::kLikely;
  }
  finding.attributes = {{"protocol", std::string(protocol)}};
  context.fire(std::move(finding));
}

/// Octets 0x16 0x03: the client began TLS. Against a server that speaks in the clear that is a
/// mistake about the port.
void fire_tls(RuleContext& context) {
  Finding finding = context.finding();
  finding.severity = Severity::kError;
  if (context.session().on_submissions_port()) {
    // RFC 8314 3.3: this port is for TLS from the first octet, and the client is right.
    finding.variant = "tls-expected";
    finding.fault = Fault::kServer;
    finding.text =
        "the server speaks in the clear on port 465, where TLS is due from the first octet (RFC "
        "8314 "
        "3.3): the client side, which began with TLS, is right";
  } else {
    finding.variant = "tls-on-plaintext";
    finding.text =
        "the client side began with TLS at once, but the server speaks in the clear on this port "
        "and "
        "waits for EHLO and STARTTLS";
  }
  finding.attributes = {{"protocol", "TLS"}};
  context.fire(std::move(finding));
}

/// What servers of other protocols say first, "" if nothing that is recognised.
std::string_view protocol_of_server(std::string_view line) {
  // RFC 9051 7.1, RFC 1939 3, RFC 5804 1.7, RFC 4253 4.2.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kBeginnings = {
      {{"* OK", "IMAP"},
       {"* BYE", "IMAP"},
       {"* PREAUTH", "IMAP"},
       {"+OK", "POP3"},
       {"-ERR", "POP3"},
       {"\"IMPLEMENTATION\"", "ManageSieve"},
       {"SSH-", "SSH"},
       {"HTTP/", "HTTP"},
       {"RFB 00", "VNC"}}};
  for (const auto& [begins, name] : kBeginnings) {
    if (line.starts_with(begins)) return name;
  }
  return "";
}

/// RFC 959 5.4: FTP greets with 220, too.
bool greets_as_ftp(const Reply& greeting) {
  if (greeting.code != 220) return false;
  std::string words;
  for (const ReplyLine& line : greeting.lines) words += in_lower_case(line.text) + ' ';
  return words.find("ftp") != std::string::npos && words.find("smtp") == std::string::npos &&
         words.find("mail") == std::string::npos && words.find("ftp.") == std::string::npos;
}

void fire_server(RuleContext& context, std::string_view protocol, std::string_view line) {
  Finding finding = context.finding();
  finding.variant = "server";
  finding.text =
      fmt::format("the server side speaks {}, not SMTP: \"{}\"", protocol, excerpt(line));
  finding.attributes = {{"protocol", std::string(protocol)}};
  context.fire(std::move(finding));
}

void on_server_line(RuleContext& context, const GarbageLine& line) {
  const SessionState& session = context.session();
  if (session.greeting != SessionState::Greeting::kPending || session.mid_session) return;
  if (context.entry()->item->side != Side::kServer) return;
  const std::string_view protocol = protocol_of_server(line.text);
  if (!protocol.empty()) fire_server(context, protocol, line.text);
}

bool tls_without_starttls(const SessionState& session) {
  constexpr std::size_t kClient = index(Side::kClient);
  if (session.mid_session || session.last_command.entry != 0) return false;
  return session.tls_state != nullptr && session.tls_state->records[kClient] > 0;
}

// That both sides stay silent, each for a hello of the other, cannot be told from a slow greeting
// while it lasts, and is told by no-dialogue when it is over.
void evaluate(RuleContext& context) {
  if (context.fired(kNonSmtpProtocol) > 0) return;
  const SessionState& session = context.session();
  if (context.command() != nullptr) {
    on_command(context);
  } else if (const Reply* reply = context.reply()) {
    if (tls_without_starttls(session)) {
      fire_tls(context);  // the greeting came second
    } else if (reply->answers == Answers::kGreeting && greets_as_ftp(*reply)) {
      fire_server(context, "FTP", reply->lines.front().text);
    }
  } else if (const auto* line = std::get_if<GarbageLine>(&context.entry()->item->body)) {
    on_server_line(context, *line);
  } else if (std::holds_alternative<TlsRecord>(context.entry()->item->body)) {
    const bool greeted = session.greeting != SessionState::Greeting::kPending;
    if (greeted && tls_without_starttls(session)) fire_tls(context);
  }
}

}  // namespace
}  // namespace non_smtp_protocol

const Rule kNonSmtpProtocol = {
    .id = "non-smtp-protocol",
    .category = Category::kSyntax,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .uses = kNeedsTlsRecords,
    .triggers = kOnCommand | kOnOtherEntry | kOnReply,
    .verbs = verbs(Verb::kUnknown) | kGreetingOnly,
    .evaluate = non_smtp_protocol::evaluate,
};

}  // namespace smtpscope
