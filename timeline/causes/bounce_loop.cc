#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace bounce_loop_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.refused_for(ReplyReason::kLoop)) return;
  explanation.weight = kByWords + 5;
  explanation.reason = ReplyReason::kLoop;
  explanation.side = Fault::kServer;
  explanation.headline =
      "the message goes round in a loop: it came through too many servers, or through this one "
      "again";
  explanation.entries = {the_case.refusal()->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kRejectedAfterData};
}

}  // namespace
}  // namespace bounce_loop_cause

const Cause kBounceLoopCause = {
    .id = "bounce-loop", .side = Fault::kServer, .weigh = bounce_loop_cause::weigh};

}  // namespace smtpscope
