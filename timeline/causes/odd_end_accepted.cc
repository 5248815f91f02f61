#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace odd_end_accepted_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kEodNonstandardAccepted)) return;
  const RuleEngine::Told* told = the_case.told(kEodNonstandardAccepted);
  explanation.weight = kUsual;
  explanation.side = Fault::kClient;
  explanation.headline = told != nullptr ? told->text
                                         : std::string(
                                               "the message ended with something else than CR LF . "
                                               "CR LF, and this server took it");
  explanation.covers = {&kEodNonstandardAccepted, &kLineEndingData, &kEodNonstandardSeq};
}

}  // namespace
}  // namespace odd_end_accepted_cause

const Cause kOddEndAcceptedCause = {
    .id = "odd-end-accepted", .side = Fault::kClient, .weigh = odd_end_accepted_cause::weigh};

}  // namespace smtpscope
