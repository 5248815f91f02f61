#pragma once

#include "timeline/state/session_state.h"
#include "timeline/state/transaction.h"

namespace smtpscope {

/// `again` announces the envelope that `first`, the transaction before it, had announced: `first`
/// was dropped with RSET although all of its recipients were accepted, before a message began.
/// Asked when a recipient of `again` got its answer; true once, with the answer to the last one.
bool replays(const Transaction& again, const TransactionSummary& first);

}  // namespace smtpscope
