#include <fmt/format.h>

#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  const int digit = ended->final_code / 100;
  if (!ended->data_sent || (digit != 4 && digit != 5) || ended->finals_accepted > 0) return;
  if (ended->rcpt_accepted == 0) return;  // nobody to send to: the refusals are the diagnosis
  Finding finding = context.finding();
  finding.severity = digit == 4 ? Severity::kNotice : Severity::kWarning;
  finding.variant = digit == 4 ? "temporary" : "permanent";
  finding.text = fmt::format("the server received the message and refused it: \"{} {}\"",
                             ended->final_code, ended->final_text);
  finding.entries = {ended->first_entry, ended->final_entry};
  finding.attributes = {{"code", std::to_string(ended->final_code)},
                        {"octets", std::to_string(ended->facts.octets)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kRejectedAfterData = {
    .id = "rejected-after-data",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .title = "The server refused the message after having received it",
    .means =
        "The envelope was fine, the content or a policy was not: spam, virus, signature, size "
        "or header checks. The reply text names the reason.\n"
        "A code that begins with 4 means try again later, one that begins with 5 means do not "
        "send it unchanged again. A 552 although the announced SIZE was accepted and kept is a "
        "fault of the server.",
    .caveats = "With LMTP each recipient has a result of its own.",
    .reference = "RFC 5321 4.2.5, 3.3; RFC 1870 6.3",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
