#include "timeline/rules/catalogue.h"

#include <algorithm>
#include <array>

namespace smtpscope {
namespace {

// In the order of the catalogue; a rule that fires in the same moment as another is shown in it.
constexpr std::array kRules = {
    // transaction
    &kTxnAbortedRset,
    &kTxnReplayedAfterRset,
    &kRsetNoop,
    &kRsetRepeated,
    &kRsetLivenessProbe,
    &kRsetRejected,
    &kRsetServerClosed,
    &kTxnAbortedEhlo,
    &kTxnAbortedQuit,
    &kTxnAbortedDisconnect,
    &kTxnAborted421,
    &kCalloutProbe,
    &kAllRcptRejected,
    &kPartialRcptAccept,
    &kDuplicateRcpt,
    &kDuplicateMessage,
    &kLostAfterEod,
    &kRejectedAfterData,
    &kGreylistTempfail,
    &kGreylistRetrySameSession,
    // timing
    &kTxnAbortedTimeout,
    &kEodReplySlow,
    &kPreDotPause,
    &kReplyDripped,
    &kGapClient,
    &kGapServer,
    &kGreetingDelay,
    &kTarpitPattern,
    &kDataStall,
    &kRoundPause,
    &kDnsTimeoutSignature,
    &kNearRfcTimeout,
    &kClientTimeoutShort,
    &kIdleConnection,
    // sequencing
    // syntax
    // extension
    // security
    &kInterceptionSuspected,
    &kTwoPointDivergence,
    // tls
    // auth
    // network
    &kNagleDelayedAck,
    &kUpstreamConnectFailed,
    // server
    // client
    &kParallelSessions,
};

}  // namespace

std::span<const Rule* const> all_rules() { return kRules; }

const Rule* find_rule(std::string_view id) {
  const auto found = std::ranges::find(kRules, id, &Rule::id);
  return found == kRules.end() ? nullptr : *found;
}

}  // namespace smtpscope
