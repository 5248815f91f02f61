#pragma once

#include "timeline/rule.h"

namespace smtpscope {

// One line per rule, in the order of the table in catalogue.cc. Each is defined in the file that
// bears its id.
extern const Rule kTxnAbortedRset;
extern const Rule kTxnReplayedAfterRset;
extern const Rule kRsetNoop;
extern const Rule kRsetRepeated;
extern const Rule kRsetRejected;
extern const Rule kRsetServerClosed;
extern const Rule kTxnAbortedEhlo;
extern const Rule kTxnAbortedQuit;
extern const Rule kTxnAbortedDisconnect;
extern const Rule kTxnAborted421;
extern const Rule kCalloutProbe;
extern const Rule kAllRcptRejected;
extern const Rule kPartialRcptAccept;
extern const Rule kLostAfterEod;
extern const Rule kRejectedAfterData;
extern const Rule kTxnAbortedTimeout;
extern const Rule kEodReplySlow;
extern const Rule kGapClient;
extern const Rule kGapServer;
extern const Rule kGreetingDelay;
extern const Rule kDataStall;
extern const Rule kRoundPause;
extern const Rule kIdleConnection;
extern const Rule kUpstreamConnectFailed;

}  // namespace smtpscope
