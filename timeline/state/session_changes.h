#pragma once

#include "parser/item.h"
#include "timeline/event.h"
#include "timeline/state/session_state.h"

namespace smtpscope {

/// What `reply` changes in where the session stands: greeting, hello, AUTH, TLS, QUIT, the end
/// announced by 421. `answered` is nullptr where it answers nothing known.
void apply_reply(const Reply& reply, const Entry& entry, const PendingExchange* answered,
                 SessionState& state);

/// Behind a granted STARTTLS the session goes on in the clear. Who has taken TLS off cannot be told
/// from here, so what depends on it is judged as in a trace from an endpoint.
void note_tls_never_came(SessionState& state);

/// Another sample of the time between a command and its reply.
void note_round_trip(const Entry& reply, const PendingExchange& answered, SessionState& state);

/// What stays known of a transaction that has ended; `rset` is the RSET that ended it, if one did.
TransactionSummary summary_of(const Transaction& transaction, const PendingExchange* rset,
                              Time reply_at);

/// A RSET was accepted that ended no transaction: it counts for the one before.
void note_idle_rset(const PendingExchange& rset, Time reply_at, SessionState& state);

}  // namespace smtpscope
