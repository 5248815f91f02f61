#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace command_malformed_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const RefusedReply* refusal = the_case.refusal();
  const RuleEngine::Told* told = the_case.told(kCommandSyntax);
  if (refusal == nullptr || told == nullptr) return;
  if (refusal->judged.reason != ReplyReason::kProtocolError) return;
  // RFC 5321 4.2.4: what is for syntax.
  if (refusal->code != 500 && refusal->code != 501 && refusal->code != 553) return;
  explanation.weight = kSpecific;
  explanation.reason = ReplyReason::kProtocolError;
  explanation.side = Fault::kClient;
  explanation.headline = told->text;
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kCommandSyntax};
}

}  // namespace
}  // namespace command_malformed_cause

const Cause kCommandMalformedCause = {
    .id = "command-malformed", .side = Fault::kClient, .weigh = command_malformed_cause::weigh};

}  // namespace smtpscope
