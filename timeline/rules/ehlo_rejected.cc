#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace ehlo_rejected {
namespace {

std::string_view reading(std::uint16_t code) {
  switch (code) {
    case 500:
    case 502:
    case 504:
      return "it seems not to know the command";
    case 501:
    case 550:
    case 553:
    case 554:
      return "it seems to dislike the name";
    case 503:
      return "it seems to think it comes at the wrong moment";
    case 530:
      return "it wants something else first";
    default:
      return "no code that RFC 5321 4.3.2 lists for it";
  }
}

void evaluate(RuleContext& context) {
  const Reply* reply = context.reply();
  const PendingExchange* answered = context.answered();
  if (answered == nullptr || answered->kind != Answers::kCommand) return;
  // 4yz: the server is not available now, whatever it was asked. 521 ends the session.
  if (reply->first_digit() == 2 || reply->first_digit() == 4 || reply->code == 521) return;
  // RFC 5321 3.1: after a refused greeting everything but QUIT is refused.
  if (context.session().greeting == SessionState::Greeting::kRefused) return;

  Finding finding = context.finding();
  const LastHello& hello = context.session().last_hello;
  const bool known = hello.entry == answered->entry;
  const std::string_view name = known ? std::string_view(hello.name) : std::string_view();
  finding.text =
      fmt::format("the server refused \"{}{}{}\" with {}: {}", to_string(answered->verb),
                  name.empty() ? "" : " ", name, quoted_reply(*reply), reading(reply->code));
  finding.entries.push_back(answered->entry);
  finding.attributes = {{"code", std::to_string(reply->code)}, {"argument", std::string(name)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace ehlo_rejected

const Rule kEhloRejected = {
    .id = "ehlo-rejected",
    .category = Category::kExtension,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .title = "The server refused EHLO",
    .means =
        "EHLO opens every modern SMTP session: the client gives its name and learns what the "
        "server can do. When it is refused, the client either gives up or falls back to HELO and "
        "does without encryption, login and everything else that came after 1982.",
    .causes =
        "500, 502, 504: a firewall that inspects SMTP, or an ancient server, does not know EHLO; "
        "or the server speaks LMTP, where the command is LHLO.\n"
        "501, 550, 554: the name is malformed (underscore, no dot, an address without brackets) "
        "or a policy wants another one.\n"
        "503, 530: the server expected something else first.",
    .tell_apart =
        "The server's words usually say whether it is about the command or about the name. Send "
        "EHLO by hand with a plain, resolvable host name: if that is accepted, it is the name.",
    .advice =
        "Give the client a host name that is fully qualified and resolves.\n"
        "Switch off SMTP inspection on firewalls in the path.\n"
        "On the server: do not refuse mail only because the name does not match the client's "
        "address; RFC 5321 forbids that.",
    .caveats =
        "A temporary refusal (4yz) is about the server's availability, not about EHLO, and is not "
        "reported here. LMTP servers are right to refuse EHLO, SMTP servers to refuse LHLO.",
    .reference = "RFC 5321 4.1.4, 4.3.2; RFC 2033 4.1",
    .triggers = kOnReply,
    .verbs = verbs(Verb::kEhlo, Verb::kLhlo),
    .evaluate = ehlo_rejected::evaluate,
};

}  // namespace smtpscope
