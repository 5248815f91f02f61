#pragma once

#include "parser/capabilities.h"
#include "parser/item.h"
#include "timeline/event.h"
#include "timeline/run_history.h"
#include "timeline/session_state.h"

namespace smtpscope {

// What rules want to know later of what they see once: notes taken in the session's state. The
// state that the protocol itself has is changed in session_changes.h.

/// Who the peers are, from their addresses.
void note_peers(const SessionOpened& opened, SessionState& state);

/// A command, after the rules were asked about it. `capabilities` are those in force before it.
void note_command(const Item& item, const Command& command, const Entry& entry,
                  const Capabilities& capabilities, SessionState& state);

/// A client line inside an AUTH exchange, after the rules were asked about it.
void note_auth_response(const AuthResponse& response, SessionState& state);

/// A reply, before the rules are asked about it. `answered` is nullptr where it answers nothing
/// known.
void note_reply(const Reply& reply, const Entry& entry, const PendingExchange* answered,
                SessionState& state);

/// A command's or reply's reads, before the rules are asked about it.
void note_reads(const Entry& entry, SessionState& state);

/// The client was silent for a round length, up to now.
void note_round_pause(Duration length, SessionState& state);

/// A recipient of `txn` got its answer; before the rules are asked about that. `client` is what the
/// run knows of the client, nullptr for nothing.
void note_recipient(const Transaction& txn, const ClientRecord* client, SessionState& state);

/// A transaction has ended; before the rules are asked about it, and before `previous` becomes it.
void note_transaction(const Transaction& ended, SessionState& state);

/// A TLS record, before the rules are asked about it. Gives whether it tells something that is
/// worth an entry: the handshake's messages, alerts, the first application data of a side.
bool note_tls_record(Side side, const TlsRecord& record, Time time, std::uint64_t entry,
                     SessionState& state);

}  // namespace smtpscope
