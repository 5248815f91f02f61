#pragma once

#include <cstdint>
#include <string_view>

#include "parser/capabilities.h"
#include "parser/item.h"
#include "parser/path.h"
#include "timeline/event.h"
#include "timeline/state/run_history.h"
#include "timeline/state/session_state.h"

namespace smtpscope {

// What rules want to know later of what they see once: notes taken in the session's state. The
// state that the protocol itself has is changed in session_changes.h.

/// The address in "192.0.2.1:25" or "[2001:db8::1]:25"; a Unix socket is all address.
std::string_view host_of(std::string_view endpoint);

/// Who the peers are, from their addresses.
void note_peers(const SessionOpened& opened, SessionState& state);

/// A command, after the rules were asked about it. `capabilities` are those in force before it.
/// `path` as in TransactionTracker::on_command().
void note_command(const Item& item, const Command& command, const PathArgument* path,
                  const Entry& entry, const Capabilities& capabilities, SessionState& state);

/// A line of a scenario has changed something.
void note_scenario(std::string_view line, SessionState& state);

/// "Name: …", as a header field begins (RFC 5322 2.2).
bool like_header_field(std::string_view line);

/// The run of unknown commands with this line, an unknown command itself, in it: the one that goes
/// on, or a new one.
UnknownRun with_unknown_line(const Item& item, const Command& command, const Entry& entry,
                             const SessionState& state);

/// The OddEnding bits of a command line.
std::uint8_t odd_endings(const Command& command);

/// Mail data has ended, before the rules are asked about it. `transaction`: its own; nullptr if it
/// has none.
void note_mail_data(const MailData& data, const Entry& entry, const Transaction* transaction,
                    SessionState& state);

/// A client line inside an AUTH exchange, after the rules were asked about it.
void note_auth_response(const AuthResponse& response, SessionState& state);

/// The octets of a chunk, before the rules are asked about them.
void note_chunk(const Entry& entry, SessionState& state);

/// What a program said of its own.
void note_remark(const Remark& remark, SessionState& state);

/// A PROXY header, before the rules are asked about it.
void note_proxy_header(std::uint64_t entry, SessionState& state);

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

/// A TLS handshake of smtpscope's own is over.
void note_tls_handshake(const TlsHandshake& handshake, Time now, SessionState& state);

/// A TLS record, before the rules are asked about it. Gives whether it tells something that is
/// worth an entry: the handshake's messages, alerts, the first application data of a side.
bool note_tls_record(const Item& item, const TlsRecord& record, Time time, std::uint64_t entry,
                     SessionState& state);

/// What a session's records add up to.
TlsTotals totals_of(const TlsState& tls);

}  // namespace smtpscope
