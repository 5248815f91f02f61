#include <fmt/format.h>

#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace client_stalled_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kTxnAbortedTimeout, "client-silent")) return;
  const LastSilence& silence = the_case.session().last_silence;
  const TransactionTally* lost = the_case.lost();
  if (silence.silent != Party::kClient || lost == nullptr || lost->data_sent) return;
  explanation.weight = kSpecific + 5;
  explanation.side = Fault::kClient;
  explanation.headline = fmt::format(
      "the client stopped for {} when it owed {}{}, until the server's time limit was over",
      the_case.measured(silence.length()), silence.owed.empty() ? "a command" : silence.owed,
      lost->octets > 0 ? fmt::format(" ({} octets of the message had come)", lost->octets)
                       : std::string());
  if (const RefusedReply* refusal = the_case.refusal()) {
    explanation.reason = refusal->judged.reason;
    explanation.entries = {refusal->entry};
  }
  explanation.covers = {&kTxnAbortedTimeout,
                        &kDataStall,
                        &kGapClient,
                        &kRoundPause,
                        &kTxnAborted421,
                        &kUnsolicited421,
                        &kPreDotPause,
                        &kNearRfcTimeout,
                        &kIdleConnection,
                        &kTxnAbortedDisconnect,
                        &kServerClosedWithout421};
}

}  // namespace
}  // namespace client_stalled_cause

const Cause kClientStalledCause = {
    .id = "client-stalled", .side = Fault::kClient, .weigh = client_stalled_cause::weigh};

}  // namespace smtpscope
