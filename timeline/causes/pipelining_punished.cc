#include <string>

#include "base/ascii.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace pipelining_punished_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kPipeliningUnadvertised) && !the_case.found(kPipeliningPastSyncPoint) &&
      !the_case.found(kClientTalksFirst))
    return;
  // Whoever speaks another protocol waits for nobody; that it does is the cause.
  if (the_case.found(kNonSmtpProtocol)) return;
  const RefusedReply* refusal = the_case.refusal();
  if (refusal == nullptr || refusal->judged.reason != ReplyReason::kProtocolError) return;
  const std::string words = in_lower_case(refusal->text);
  const bool says =
      words.find("synchroni") != std::string::npos || words.find("pipelin") != std::string::npos ||
      words.find("too soon") != std::string::npos || words.find("early") != std::string::npos ||
      words.find("pregreet") != std::string::npos;
  // Before the greeting the refusal itself is the punishment, whatever its words.
  const bool before_greeting = the_case.found(kClientTalksFirst) &&
                               refusal->stage == ReplyStage::kConnect && refusal->code / 100 == 5;
  if (!says && !before_greeting) return;
  explanation.weight = kProven;
  explanation.reason = ReplyReason::kProtocolError;
  explanation.side = Fault::kClient;
  explanation.headline =
      "the client did not wait for the server's replies before it sent more, which this server "
      "does not allow";
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kPipeliningUnadvertised,
                        &kPipeliningPastSyncPoint,
                        &kClientTalksFirst,
                        &kRsetRejected,
                        &kServerClosedWithout421,
                        &kTooManyErrors,
                        &kUnsolicitedReply,
                        &kTxnAbortedDisconnect,
                        &kReplyMultilineCodeMismatch,
                        &kEhloRejected,
                        &kReplyMissing};
}

}  // namespace
}  // namespace pipelining_punished_cause

const Cause kPipeliningPunishedCause = {
    .id = "pipelining-punished", .side = Fault::kClient, .weigh = pipelining_punished_cause::weigh};

}  // namespace smtpscope
