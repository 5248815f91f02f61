#pragma once

#include "parser/conversation.h"
#include "parser/item.h"
#include "timeline/event.h"
#include "timeline/state/run_history.h"
#include "timeline/state/session_state.h"
#include "timeline/state/transaction.h"
#include "timeline/state/transaction_tracker.h"

namespace smtpscope {

// What a session leaves in the history of its run, after its rules were asked.

/// A transaction that has ended.
void remember_transaction(const Transaction& ended, SessionId session, const SessionState& state,
                          RunHistory& history);

/// How long the server took for a greeting, or for a reply that may have to wait for a resolver.
void remember_delay(const Entry& reply, SessionId session, const SessionState& state,
                    RunHistory& history);

/// A reply: delays, deferrals, what a hello showed of client and server.
struct SessionView {
  SessionId session = 0;
  const SessionState& state;
  const TransactionTracker& transactions;
  const Conversation& conversation;
};
void remember_reply(const Reply& reply, const Entry& entry, const PendingExchange& answered,
                    const SessionView& view, RunHistory& history);

/// How the client fared with TLS, at the end of a session.
void remember_tls(SessionId session, const SessionState& state, RunHistory& history);

/// What identifies a deferred recipient: greylisting servers compare just this.
std::uint64_t deferral_triple(std::string_view client_host, std::string_view reverse_path,
                              std::string_view forward_path);

/// A finished message as the history keeps it.
MessageRecord message_record(const Transaction& transaction, SessionId session,
                             const SessionState& state);

}  // namespace smtpscope
