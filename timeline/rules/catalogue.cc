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
    &kDataWithoutRcpt,
    &kMailNested,
    &kClientTalksFirst,
    &kPipeliningUnadvertised,
    &kPipeliningPastSyncPoint,
    &kDataContentEarly,
    &kCommandOutOfOrder,
    // syntax
    &kContentParsedAsCommands,
    &kUnknownCommand,
    &kNonSmtpProtocol,
    &kHeloNameSuspicious,
    &kCommandSyntax,
    &kCommandLineTooLong,
    &kLineEndingCommand,
    &kNonprintableOctets,
    &kLineEndingData,
    &kTextLineTooLong,
    &kDotStuffingSuspect,
    // extension
    &kHeloFallback,
    &kEhloRejected,
    &kEightbitWithout8bitmime,
    &kExtParamUnadvertised,
    &kExtCommandUnadvertised,
    &kDeclaredLimitExceeded,
    &kSizeDeclaredMismatch,
    &kBdatSizeMismatch,
    &kBdatMisuse,
    &kProxyMetadata,
    // security
    &kEodNonstandardSeq,
    &kEodNonstandardAccepted,
    &kEhloKeywordMangled,
    &kStarttlsStripped,
    &kStarttlsInjectionClient,
    &kStarttlsInjectionServer,
    &kInterceptionSuspected,
    &kTwoPointDivergence,
    // tls
    &kStarttlsNotUsed,
    &kStarttlsRefused,
    &kTlsStateViolation,
    &kTlsHandshakeFailed,
    &kExtChangedAfterTls,
    // auth
    &kAuthCleartext,
    &kAuthFailed,
    &kAuthRetry,
    &kAuthRequired,
    // network
    &kTxnAbortedTcpReset,
    &kNagleDelayedAck,
    &kHalfClose,
    &kUpstreamConnectFailed,
    // server
    &kGreetingNonstandard,
    &kGreetingRefused,
    &kReplyMultilineCodeMismatch,
    &kReplyMalformed,
    &kReplyLineTooLong,
    &kReplyCodeUnexpected,
    &kEnhancedCodeMismatch,
    &kUnsolicitedReply,
    &kUnsolicited421,
    &kReplyMissing,
    &kReplyDuringData,
    &kServerClosedWithout421,
    &kTooManyErrors,
    &kLmtpReplyCount,
    // client
    &kMissingQuit,
    &kNoDialogue,
    &kParallelSessions,
};

}  // namespace

std::span<const Rule* const> all_rules() { return kRules; }

const Rule* find_rule(std::string_view id) {
  const auto found = std::ranges::find(kRules, id, &Rule::id);
  return found == kRules.end() ? nullptr : *found;
}

}  // namespace smtpscope
