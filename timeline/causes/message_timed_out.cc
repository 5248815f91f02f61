#include <fmt/format.h>

#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace message_timed_out_cause {
namespace {

/// The client had sent the dot, and the server answers that its time was over: the words are those
/// for a client that sends nothing.
void weigh(const Case& the_case, Explanation& explanation) {
  const RefusedReply* refusal = the_case.refusal();
  if (refusal == nullptr || refusal->stage != ReplyStage::kEndOfData) return;
  if (refusal->judged.reason != ReplyReason::kProtocolError) return;
  if (!mentions(refusal->text, {"timeout", "time out", "time-out", "timed out"})) return;
  const bool arrived = confirmed_all(the_case, Side::kServer);
  explanation.weight = kSpecific + 5;
  explanation.certainty = arrived ? Certainty::kSeen : Certainty::kLikely;
  explanation.side = Fault::kServer;
  explanation.reason = ReplyReason::kServerTrouble;
  explanation.headline = fmt::format(
      "the server's time limit was over before it was done with the message, whose end the client "
      "had sent: what checks or stores it there is too slow or never answers{}",
      arrived ? "" : ", or the end did not arrive");
  if (arrived) explanation.not_it = {kNotTheNetwork};
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kEodReplySlow, &kRoundPause, &kGapServer, &kTxnAbortedTimeout,
                        &kTxnAborted421};
}

}  // namespace
}  // namespace message_timed_out_cause

const Cause kMessageTimedOutCause = {
    .id = "message-timed-out", .side = Fault::kServer, .weigh = message_timed_out_cause::weigh};

}  // namespace smtpscope
