#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace errors_until_hung_up_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const SessionState& session = the_case.session();
  if (session.hangup_code != 421 || session.refusals == nullptr) return;
  if (!the_case.found(kTooManyErrors)) return;
  const RefusedReply* first = nullptr;
  for (const RefusedReply& one : session.refusals->kept) {
    if (one.entry != session.hangup_entry) {
      first = &one;
      break;
    }
  }
  if (first == nullptr) return;
  explanation.weight = kSpecific;
  explanation.reason = first->judged.reason;
  explanation.side = Fault::kClient;
  explanation.headline = fmt::format(
      "{}; the client went on until the server hung up over too many errors ({} refusals)",
      the_case.reasons().words(first->judged.reason).says, session.refusals->count);
  explanation.entries = {first->entry, session.hangup_entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kTooManyErrors,    &kTxnAborted421,           &kAllRcptRejected,
                        &kTarpitPattern,    &kContentParsedAsCommands, &kUnknownCommand,
                        &kCommandOutOfOrder};
}

}  // namespace
}  // namespace errors_until_hung_up_cause

const Cause kErrorsUntilHungUpCause = {.id = "errors-until-hung-up",
                                       .side = Fault::kClient,
                                       .weigh = errors_until_hung_up_cause::weigh};

}  // namespace smtpscope
