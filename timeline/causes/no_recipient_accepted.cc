#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace no_recipient_accepted_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kDataWithoutRcpt)) return;
  const RefusedReply* first = nullptr;
  if (the_case.session().refusals != nullptr) {
    for (const RefusedReply& one : the_case.session().refusals->kept) {
      if (one.stage == ReplyStage::kRcpt) {
        first = &one;
        break;
      }
    }
  }
  explanation.weight = kSpecific;
  explanation.side = Fault::kClient;
  if (first != nullptr) {
    explanation.reason = first->judged.reason;
    explanation.entries = {first->entry};
    explanation.headline =
        fmt::format("{}; no recipient was accepted, and the client sent DATA anyway",
                    the_case.reasons().words(first->judged.reason).says);
  } else if (accepted_without_envelope(the_case)) {
    explanation.headline =
        "the client sent a message without MAIL and RCPT, and the server said that it took it: to "
        "whom it goes nobody has said";
  } else {
    explanation.headline = "the client sent DATA before any RCPT: it named no recipient";
  }
  explanation.explains_refusal = true;
  explanation.covers = {&kDataWithoutRcpt,         &kAllRcptRejected, &kCommandOutOfOrder,
                        &kContentParsedAsCommands, &kUnknownCommand,  &kTooManyErrors};
}

}  // namespace
}  // namespace no_recipient_accepted_cause

const Cause kNoRecipientAcceptedCause = {.id = "no-recipient-accepted",
                                         .side = Fault::kClient,
                                         .weigh = no_recipient_accepted_cause::weigh};

}  // namespace smtpscope
