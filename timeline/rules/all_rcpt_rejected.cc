#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace all_rcpt_rejected {
namespace {

/// Of the recipients alone: what DATA is answered to after them is a consequence.
bool all_temporary(const Transaction& ended) {
  if (ended.rcpt_sent > ended.recipients.size() && !ended.temporary_only) return false;
  return std::ranges::all_of(ended.recipients,
                             [](const Recipient& each) { return each.code / 100 == 4; });
}

/// "550, 550, 451": what the recipients were answered, as far as one wants to read it.
std::string codes_of(const Transaction& ended) {
  constexpr std::size_t kShown = 8;
  std::string codes;
  for (std::size_t i = 0; i < std::min(ended.recipients.size(), kShown); ++i) {
    codes += fmt::format("{}{}", i == 0 ? "" : ", ", ended.recipients[i].code);
  }
  if (ended.rcpt_sent > kShown) codes += ", ...";
  return codes;
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (ended->rcpt_sent == 0 || ended->rcpt_refused != ended->rcpt_sent) return;
  Finding finding = context.finding();
  const bool temporary = all_temporary(*ended);
  if (temporary) finding.variant = "temporary";
  finding.text =
      fmt::format("the server refused {}{}; the first answer was \"{} {}\"",
                  ended->rcpt_sent == 1 ? std::string("the only recipient")
                                        : fmt::format("all {} recipients", ended->rcpt_sent),
                  temporary ? " for now" : "", ended->refusal_code, ended->refusal_text);
  finding.entries = {ended->first_entry, ended->refusal_entry};
  finding.attributes = {{"refused", std::to_string(ended->rcpt_refused)},
                        {"code", std::to_string(ended->refusal_code)},
                        {"codes", codes_of(*ended)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace all_rcpt_rejected

const Rule kAllRcptRejected = {
    .id = "all-rcpt-rejected",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .title = "The server refused every recipient",
    .means =
        "There was nobody to send to, so no message was delivered. The text of the first refusal "
        "is the diagnosis; read it first.\n"
        "Variant temporary: all codes begin with 4, the server asks to try again later. A client "
        "with a queue will; a client without one (scripts, devices, send-only programs) has lost "
        "the mail. Codes that begin with 5 say that trying again does not help.",
    .causes =
        "The address does not exist or is misspelt (550, 5.1.1).\n"
        "The server takes no mail for that domain from this client, because it did not log in or "
        "is not allowed to relay (550, 554, 5.7.1).\n"
        "Greylisting or a limit: try again later (450, 451, 452).\n"
        "The client's address is on a blocklist; the text often has a link.",
    .tell_apart =
        "The text of the reply decides. The number in the middle (5.1.1, 5.7.1) says whether the "
        "address or the permission is the matter: x.1.x is about the address, x.2.x about the "
        "mailbox, x.7.x about policy. The same refusal for every recipient speaks for policy, "
        "different ones for the addresses.",
    .advice =
        "Read the text of the reply word by word.\n"
        "Check the spelling of the addresses.\n"
        "If it is about permission, see whether the client should log in, or use another port "
        "(587) "
        "or server.\n"
        "If it is temporary, see that the client has a queue and tries again.",
    .caveats =
        "A 452 or 552 for the last of many recipients is a limit on their number, not a refusal of "
        "all. A 421 is not counted: it ends the session and refuses no recipient.",
    .reference = "RFC 5321 3.3, 4.3.2; RFC 3463",
    .triggers = kOnTransactionEnd,
    .evaluate = all_rcpt_rejected::evaluate,
};

}  // namespace smtpscope
