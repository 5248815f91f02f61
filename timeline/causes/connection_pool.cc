#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace connection_pool_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kRsetLivenessProbe) && !the_case.found(kRsetNoop)) return;
  if (!the_case.all_delivered()) return;
  explanation.weight = kHint;
  explanation.certainty = Certainty::kLikely;
  explanation.side = Fault::kClient;
  explanation.headline =
      "the client keeps the connection for further mail and asks with RSET whether it still lives";
  explanation.covers = {&kRsetLivenessProbe, &kRsetNoop,  &kRsetRepeated,
                        &kIdleConnection,    &kGapClient, &kRoundPause};
}

}  // namespace
}  // namespace connection_pool_cause

const Cause kConnectionPoolCause = {
    .id = "connection-pool", .side = Fault::kClient, .weigh = connection_pool_cause::weigh};

}  // namespace smtpscope
