#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace two_point_divergence {
namespace {

// A timeline is made of one trace. Whether the same dialogue looks different elsewhere shows only
// when a second trace is laid beside it: diff/taps/taps_findings.cc does, with the words of this
// rule. Here it says that it could not look.
void evaluate(RuleContext& context) {
  context.not_evaluated("it needs a trace from a second vantage point");
}

}  // namespace
}  // namespace two_point_divergence

const Rule kTwoPointDivergence = {
    .id = "two-point-divergence",
    .category = Category::kSecurity,
    .severity = Severity::kWarning,
    .fault = Fault::kNetwork,
    .needs = kNeedsSecondTrace,
    .triggers = kOnSessionEnd,
    .evaluate = two_point_divergence::evaluate,
};

}  // namespace smtpscope
