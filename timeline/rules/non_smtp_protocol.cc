#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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
  finding.variant = "tls-on-plaintext";
  finding.severity = Severity::kError;
  finding.text =
      "the client side began with TLS at once, but the server speaks in the clear on this port and "
      "waits for EHLO and STARTTLS";
  finding.attributes = {{"protocol", "TLS"}};
  context.fire(std::move(finding));
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
  } else if (context.reply() != nullptr) {
    if (tls_without_starttls(session)) fire_tls(context);  // the greeting came second
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
    .title = "The client does not speak SMTP",
    .means =
        "What the client sent belongs to another protocol. No mail will come of it.\n"
        "Variant tls-on-plaintext: the client wants TLS from the first octet, but the server on "
        "this port begins in the clear and offers TLS later, by STARTTLS. Each waits for the other "
        "or takes the other's words for garbage.",
    .causes =
        "Variant tls-on-plaintext: a wrong port or a wrong setting. TLS from the start belongs to "
        "port 465, STARTTLS to ports 25 and 587.\n"
        "A scanner that tries all protocols on all ports.\n"
        "Somebody who looks for open web proxies (CONNECT, GET http://…).\n"
        "A web browser that was led to connect to a mail server.\n"
        "A load balancer's health check of the wrong kind.",
    .tell_apart =
        "Look at the client's address. One of your own hosts means a wrong setting; a foreign one "
        "is most likely a scanner.",
    .advice =
        "Variant tls-on-plaintext: set the client to STARTTLS, or to port 465.\n"
        "For health checks choose the kind for SMTP, or a bare connect.\n"
        "Foreign scanners can be ignored; the server should hang up on them quickly.",
    .caveats = "",
    .reference = "RFC 5321 2.4; RFC 8314 3.3; Postfix smtpd_forbidden_commands",
    .uses = kNeedsTlsRecords,
    .triggers = kOnCommand | kOnOtherEntry | kOnReply,
    .verbs = verbs(Verb::kUnknown) | kGreetingOnly,
    .evaluate = non_smtp_protocol::evaluate,
};

}  // namespace smtpscope
