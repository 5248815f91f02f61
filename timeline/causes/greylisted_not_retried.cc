#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace greylisted_not_retried_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const RefusedReply* refusal = the_case.refusal();
  if (!the_case.refused_for(ReplyReason::kGreylisted)) return;
  if (the_case.found(kGreylistRetrySameSession)) return;
  explanation.weight = kSpecific;
  explanation.reason = ReplyReason::kGreylisted;
  explanation.headline =
      "greylisted: the server refuses the first try and takes a later one; this client did not try "
      "again within the session. Nothing to fix on the server";
  explanation.side = Fault::kUnknown;
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kGreylistTempfail, &kAllRcptRejected};
}

}  // namespace
}  // namespace greylisted_not_retried_cause

const Cause kGreylistedNotRetriedCause = {.id = "greylisted-not-retried",
                                          .side = Fault::kUnknown,
                                          .weigh = greylisted_not_retried_cause::weigh};

}  // namespace smtpscope
