#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace greylisting_passed_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kGreylistRetrySameSession) && !the_case.found(kGreylistTempfail, "passed"))
    return;
  if (the_case.outcomes(Outcome::kAccepted) == 0) return;
  explanation.weight = kSpecific;
  explanation.headline =
      "greylisted at first, and taken when the client tried again: nothing to fix";
  explanation.covers = {&kGreylistTempfail, &kGreylistRetrySameSession, &kAllRcptRejected};
}

}  // namespace
}  // namespace greylisting_passed_cause

const Cause kGreylistingPassedCause = {
    .id = "greylisting-passed", .side = Fault::kUnknown, .weigh = greylisting_passed_cause::weigh};

}  // namespace smtpscope
