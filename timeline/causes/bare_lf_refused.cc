#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace bare_lf_refused_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const RefusedReply* refusal = the_case.refusal();
  if (refusal == nullptr || refusal->judged.reason != ReplyReason::kContentMalformed) return;
  if (!the_case.found(kLineEndingData) && !mentions_bare_lf(refusal->text)) return;
  if (!mentions_bare_lf(refusal->text)) return;
  explanation.weight = kSpecific;
  explanation.reason = ReplyReason::kContentMalformed;
  explanation.side = Fault::kClient;
  explanation.headline =
      "lines of the message end in a bare LF, which many servers have refused since 2024 (SMTP "
      "smuggling)";
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kLineEndingData, &kRejectedAfterData, &kEodNonstandardSeq,
                        &kLineEndingCommand, &kUnsolicited421};
}

}  // namespace
}  // namespace bare_lf_refused_cause

const Cause kBareLfRefusedCause = {
    .id = "bare-lf-refused", .side = Fault::kClient, .weigh = bare_lf_refused_cause::weigh};

}  // namespace smtpscope
