#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (ended->rcpt_sent == 0 || ended->rcpt_refused != ended->rcpt_sent) return;
  Finding finding = context.finding();
  if (ended->temporary_only) finding.variant = "temporary";
  finding.text =
      fmt::format("the server refused {}; the first answer was \"{} {}\"",
                  ended->rcpt_sent == 1 ? std::string("the only recipient")
                                        : fmt::format("all {} recipients", ended->rcpt_sent),
                  ended->refusal_code, ended->refusal_text);
  finding.entries = {ended->first_entry, ended->refusal_entry};
  finding.attributes = {{"refused", std::to_string(ended->rcpt_refused)},
                        {"code", std::to_string(ended->refusal_code)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kAllRcptRejected = {
    .id = "all-rcpt-rejected",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .title = "The server refused every recipient",
    .means =
        "There was nobody to send to. The text of the first refusal is the diagnosis; read it "
        "first.\n"
        "If all codes begin with 4, the server asks to try again later: a client with a queue "
        "will, a client without one (scripts, devices, send-only programs) loses the mail. If "
        "they begin with 5, the address or the permission is wrong.",
    .caveats =
        "A 452 or 552 for the last of many recipients is a limit on their number, not a refusal "
        "of all.",
    .reference = "RFC 5321 3.3, 4.3.2",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
