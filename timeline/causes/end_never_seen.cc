#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace end_never_seen_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const TransactionTally* lost = the_case.lost();
  if (lost == nullptr || lost->data_sent || the_case.refusal() != nullptr) return;
  // Octets of a message came, and an end that only some servers take for one.
  if (!the_case.found(kEodNonstandardSeq) ||
      the_case.found(kEodNonstandardSeq, "smuggled-command")) {
    return;
  }
  if (!the_case.session().first_closer) return;
  explanation.weight = kSpecific + 5;
  explanation.side = Fault::kClient;
  explanation.certainty = Certainty::kLikely;
  explanation.headline =
      "the lines of the message end in a bare LF, the dot's too, so the server never saw its end";
  explanation.covers = {
      &kLineEndingData, &kTxnAbortedDisconnect, &kDataStall,         &kGapServer,
      &kGapClient,      &kClientTimeoutShort,   &kEodNonstandardSeq, &kMissingQuit};
}

}  // namespace
}  // namespace end_never_seen_cause

const Cause kEndNeverSeenCause = {
    .id = "end-never-seen", .side = Fault::kClient, .weigh = end_never_seen_cause::weigh};

}  // namespace smtpscope
