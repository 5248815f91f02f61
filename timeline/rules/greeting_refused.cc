#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace greeting_refused {
namespace {

void evaluate(RuleContext& context) {
  const Reply& greeting = *context.reply();
  // smtpscope's own 421 for a server that cannot be reached is no word of the server.
  if (greeting.first_digit() < 4 || context.entry()->by_proxy) return;
  Finding finding = context.finding();
  finding.text =
      fmt::format("the server refused the session before it began: {}", quoted_reply(greeting));
  finding.attributes = {{"code", std::to_string(greeting.code)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace greeting_refused

const Rule kGreetingRefused = {
    .id = "greeting-refused",
    .category = Category::kServer,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .title = "The server refused the whole session in its greeting",
    .means =
        "Instead of a welcome (220) the server's first words were a refusal, so no mail can move "
        "in this session, whatever the client does. A code that begins with 4 asks to come back "
        "later; one that begins with 5 means that this client, or all clients, are not wanted. "
        "The client can only say QUIT; everything else is answered with 503.",
    .causes =
        "The client's address is on a blocklist, or has no name that resolves both ways.\n"
        "The server is busy, or the client has too many connections open (421).\n"
        "The host takes no mail at all (521), or its mail service is being maintained.",
    .tell_apart =
        "Read the text: it usually names the list, the limit or the reason. Connect from another "
        "address: a refusal that follows the address is about the client, one for everybody is "
        "about the server.",
    .advice =
        "421 or another 4yz: wait, and let the client's queue try again.\n"
        "A blocklist: ask for removal there, and find out why the address got on it.\n"
        "521: look up which hosts take mail for the domain (its MX records); this one does not.\n"
        "On the server: look at the limits on connections per client, and at its log for this "
        "moment.",
    .caveats = "A program that only checks whether the port answers may meet 421 under load only.",
    .reference = "RFC 5321 3.1, 4.3.2; RFC 7504",
    .triggers = kOnReply,
    .verbs = kGreetingOnly,
    .only = kRefusal,
    .evaluate = greeting_refused::evaluate,
};

}  // namespace smtpscope
