#include "timeline/causes/catalogue.h"

#include <algorithm>
#include <array>

namespace smtpscope {

std::span<const Cause* const> all_causes() {
  // Of those that weigh the same the first leads.
  static constexpr std::array kAll = {
      &kSpeaksForTheClientCause,
      &kServerNameUnknownCause,
      &kServerNotListeningCause,
      &kServerUnreachableCause,
      &kTurnedAwayCause,
      &kPathBlackHoleCause,
      &kTlsOnClearPortCause,
      &kServerNotSmtpCause,
      &kNotSmtpCause,
      &kClearTextOnTlsPortCause,
      &kServerNeverGreetedCause,
      &kTlsNotAgreedCause,
      &kLoginGivenUpCause,
      &kLoginMechanismNotOfferedCause,
      &kPipeliningPunishedCause,
      &kCommandEatenCause,
      &kBareLfRefusedCause,
      &kEndNeverSeenCause,
      &kLoneDotCutCause,
      &kSmuggledMessageCause,
      &kNoRecipientAcceptedCause,
      &kContentTakenForCommandsCause,
      &kErrorsUntilHungUpCause,
      &kConnectionsShareAnAddressCause,
      &kClosedAfterTheDotCause,
      &kClientGaveUpWaitingCause,
      &kClientStalledCause,
      &kEndedAfterStepCause,
      &kMessageTimedOutCause,
      &kResetInDataCause,
      &kProxyHeaderRefusedCause,
      &kServerGoingDownCause,
      &kTarpitCause,
      &kGreylistingPassedCause,
      &kGreylistedNotRetriedCause,
      &kStripTookTheLoginCause,
      &kSizeAnnouncedCause,
      &kBounceLoopCause,
      &kLmtpMixedUpCause,
      &kCommandMalformedCause,
      &kLoginServiceDownCause,
      &kLoginRefusedCause,
      &kNestedMailCause,
      &kScannerAnswersCause,
      &kServerRefusedCause,
      &kLoginOnlyAfterStarttlsCause,
      &kLongEhloReplyCause,
      &kLeftAfterEhloCause,
      &kConnectedAndLeftCause,
      &kOddEndAcceptedCause,
      &kServerSlowToGreetCause,
      &kServerSlowStepCause,
      &kAddressProbeCause,
      &kConnectionPoolCause,
      &kUnfinishedCause,
  };
  return kAll;
}

const Cause* find_cause(std::string_view id) {
  const auto all = all_causes();
  const auto at = std::ranges::find(all, id, &Cause::id);
  return at == all.end() ? nullptr : *at;
}

}  // namespace smtpscope
