#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace address_probe_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kCalloutProbe) || the_case.outcomes(Outcome::kAccepted) > 0) return;
  if (the_case.refusal() != nullptr && the_case.outcomes(Outcome::kRejected) > 0) return;
  explanation.weight = kUsual;
  explanation.certainty = Certainty::kLikely;
  explanation.side = Fault::kClient;
  explanation.headline =
      "a mail server only asked whether an address exists (sender verification), and never meant "
      "to send a message";
  explanation.covers = {&kCalloutProbe, &kTxnAbortedRset, &kTxnAbortedQuit, &kTxnAbortedDisconnect};
}

}  // namespace
}  // namespace address_probe_cause

const Cause kAddressProbeCause = {
    .id = "address-probe", .side = Fault::kClient, .weigh = address_probe_cause::weigh};

}  // namespace smtpscope
