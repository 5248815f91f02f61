#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace nested_mail_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kMailNested)) return;
  const std::span<const TransactionTally> messages = the_case.messages();
  for (const TransactionTally& first : messages) {
    const TransactionTally* second = nullptr;
    // The refused one ends before the one that it stands in.
    for (const TransactionTally& other : messages) {
      if (other.mail_refused && other.number == first.number + 1) second = &other;
    }
    if (second == nullptr || first.delivered == 0) continue;
    explanation.weight = kProven;
    explanation.reason = ReplyReason::kProtocolError;
    explanation.headline = fmt::format(
        "the client began message {} before message {} was finished, and the server refused that; "
        "the recipients and the text behind it went out under the sender of message {}",
        second->number, first.number, first.number);
    explanation.entries = {second->refusal_entry};
    explanation.covers = {&kMailNested, &kCommandOutOfOrder};
    return;
  }
}

}  // namespace
}  // namespace nested_mail_cause

const Cause kNestedMailCause = {
    .id = "nested-mail", .side = Fault::kClient, .weigh = nested_mail_cause::weigh};

}  // namespace smtpscope
