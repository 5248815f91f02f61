#pragma once

#include "timeline/causes/cause.h"

namespace smtpscope {

// One line per cause, in the order of the table in catalogue.cc. Each is defined in the file that
// bears its id.
extern const Cause kSpeaksForTheClientCause;
extern const Cause kServerNameUnknownCause;
extern const Cause kServerNotListeningCause;
extern const Cause kServerUnreachableCause;
extern const Cause kTurnedAwayCause;
extern const Cause kPathBlackHoleCause;
extern const Cause kTlsOnClearPortCause;
extern const Cause kServerNotSmtpCause;
extern const Cause kNotSmtpCause;
extern const Cause kClearTextOnTlsPortCause;
extern const Cause kServerNeverGreetedCause;
extern const Cause kTlsNotAgreedCause;
extern const Cause kLoginGivenUpCause;
extern const Cause kLoginMechanismNotOfferedCause;
extern const Cause kPipeliningPunishedCause;
extern const Cause kCommandEatenCause;
extern const Cause kBareLfRefusedCause;
extern const Cause kEndNeverSeenCause;
extern const Cause kLoneDotCutCause;
extern const Cause kSmuggledMessageCause;
extern const Cause kNoRecipientAcceptedCause;
extern const Cause kContentTakenForCommandsCause;
extern const Cause kErrorsUntilHungUpCause;
extern const Cause kConnectionsShareAnAddressCause;
extern const Cause kClosedAfterTheDotCause;
extern const Cause kClientGaveUpWaitingCause;
extern const Cause kClientStalledCause;
extern const Cause kEndedAfterStepCause;
extern const Cause kMessageTimedOutCause;
extern const Cause kResetInDataCause;
extern const Cause kProxyHeaderRefusedCause;
extern const Cause kServerGoingDownCause;
extern const Cause kTarpitCause;
extern const Cause kGreylistingPassedCause;
extern const Cause kGreylistedNotRetriedCause;
extern const Cause kStripTookTheLoginCause;
extern const Cause kSizeAnnouncedCause;
extern const Cause kBounceLoopCause;
extern const Cause kLmtpMixedUpCause;
extern const Cause kCommandMalformedCause;
extern const Cause kLoginServiceDownCause;
extern const Cause kLoginRefusedCause;
extern const Cause kNestedMailCause;
extern const Cause kScannerAnswersCause;
extern const Cause kServerRefusedCause;
extern const Cause kLoginOnlyAfterStarttlsCause;
extern const Cause kLongEhloReplyCause;
extern const Cause kLeftAfterEhloCause;
extern const Cause kConnectedAndLeftCause;
extern const Cause kOddEndAcceptedCause;
extern const Cause kServerSlowToGreetCause;
extern const Cause kServerSlowStepCause;
extern const Cause kAddressProbeCause;
extern const Cause kConnectionPoolCause;
extern const Cause kUnfinishedCause;

}  // namespace smtpscope
