#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace lone_dot_cut_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kContentParsedAsCommands)) return;
  if (the_case.outcomes(Outcome::kAccepted) == 0) return;
  explanation.weight = kSpecific;
  explanation.certainty = Certainty::kLikely;
  explanation.side = Fault::kClient;
  explanation.headline =
      "it was cut short: a line of the message that held a single dot ended it, and the rest was "
      "taken for commands";
  explanation.covers = {
      &kContentParsedAsCommands, &kUnknownCommand,         &kTooManyErrors,
      &kCommandSyntax,           &kDotStuffingSuspect,     &kCommandOutOfOrder,
      &kUnsolicitedReply,        &kPipeliningUnadvertised, &kServerClosedWithout421};
}

}  // namespace
}  // namespace lone_dot_cut_cause

const Cause kLoneDotCutCause = {
    .id = "lone-dot-cut", .side = Fault::kClient, .weigh = lone_dot_cut_cause::weigh};

}  // namespace smtpscope
