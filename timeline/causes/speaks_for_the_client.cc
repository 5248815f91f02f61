#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace speaks_for_the_client_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kInterceptionSuspected)) return;
  const RuleEngine::Told* told = the_case.told(kInterceptionSuspected);
  explanation.weight = kWholeStory;
  explanation.certainty = told != nullptr ? told->certainty : Certainty::kPossible;
  explanation.headline = told != nullptr ? told->text
                                         : std::string(
                                               "something between the application and this tracer "
                                               "may be speaking for the client side");
  if (told != nullptr) explanation.not_it = told->ruled_out;
  explanation.covers = {&kInterceptionSuspected, &kTxnReplayedAfterRset, &kTxnAbortedRset,
                        &kRsetRepeated,          &kRoundPause,           &kHeloFallback};
}

}  // namespace
}  // namespace speaks_for_the_client_cause

const Cause kSpeaksForTheClientCause = {.id = "speaks-for-the-client",
                                        .side = Fault::kClient,
                                        .weigh = speaks_for_the_client_cause::weigh};

}  // namespace smtpscope
