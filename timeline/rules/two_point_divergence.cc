#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace two_point_divergence {
namespace {

// A timeline is made of one trace. Whether the same dialogue looks different elsewhere shows only
// when a second trace is laid beside it: diff/taps_findings.cc does, with the words of this rule.
// Here it says that it could not look.
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
    .title = "Two traces of one dialogue differ",
    .means =
        "The same dialogue was recorded at two places, and a command, a reply or its octets are "
        "not the same in both. Something between the two places changes the mail or speaks in the "
        "name of one side. This is proof, where timing gives hints only.",
    .causes =
        "The mail shield of a security suite on the client's host.\n"
        "A firewall or gateway that inspects SMTP.\n"
        "A relay between the two places that is meant to be there.",
    .tell_apart =
        "Move the two places closer to each other until the traces agree: what lies between the "
        "last pair that differed is what does it.",
    .advice =
        "Record on the client's host and on the server, and compare the two: smtpscope diff --taps "
        "NEAR-CLIENT NEAR-SERVER.\n"
        "Switch the program between them off, or tell it to leave SMTP alone, and repeat.",
    .caveats =
        "A relay adds header fields, and one that ends TLS changes everything; both are by design.",
    .reference = "RFC 5321 4.4 (fields that a relay adds); comparison of two traces",
    .needs = kNeedsSecondTrace,
    .triggers = kOnSessionEnd,
    .evaluate = two_point_divergence::evaluate,
};

}  // namespace smtpscope
