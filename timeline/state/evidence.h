#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/side.h"
#include "base/time.h"
#include "capture/wire_event.h"
#include "parser/capabilities.h"
#include "parser/item.h"
#include "timeline/severity.h"
#include "timeline/state/protocol_state.h"
#include "timeline/state/refusal_notes.h"
#include "timeline/state/round_interval.h"
#include "timeline/state/smuggled_envelope.h"
#include "timeline/state/transaction.h"

namespace smtpscope {

/// A run of RSETs with no other command between them. Kept until the next run begins.
struct RsetRun {
  static constexpr std::size_t kKept = 8;

  std::uint64_t count = 0;
  std::array<std::uint64_t, kKept> entries{};  // of the first RSETs
  std::array<Duration, kKept> spacings{};      // [i]: from RSET i to RSET i+1, the first of them
  Time first, last;                            // first octet of the first and of the last RSET
  std::uint64_t aborted = 0;  // transaction that the first one aborted; 0: it had no effect
  bool all_accepted = true;   // every reply so far was 2yz
  bool ended = false;
};

/// What stays known of a transaction after its end.
struct TransactionSummary {
  std::uint64_t number = 0;
  std::uint64_t first_entry = 0;
  std::uint64_t last_entry = 0;
  Time began, ended;
  std::uint64_t envelope_hash = 0;
  std::uint64_t sender_hash = 0;  // of the reverse-path
  /// Of the domain of its first recipient, folded; 0: it has none.
  std::uint64_t domain_hash = 0;
  std::string parameters;  // of MAIL, as sent
  std::uint64_t rcpt_sent = 0, rcpt_accepted = 0, rcpt_refused = 0;
  std::uint64_t octets = 0;  // message size
  Verb data_verb = Verb::kUnknown;
  std::uint16_t mail_code = 0, refusal_code = 0, final_code = 0;
  bool data_sent = false;
  bool final_undelivered = false;
  bool null_sender = false;
  Outcome outcome = Outcome::kOpen;
  AbortedBy aborted_by = AbortedBy::kNothing;
  /// RSETs from the one that aborted it (included) up to the next MAIL, and when the last of them
  /// was answered.
  std::uint64_t rsets_since = 0;
  Duration first_rset_spacing{};  // between the first two of them
  Time first_rset{};
  Time last_rset_reply{};
  /// The longest silence of the client from there to the next MAIL that had a round length
  /// (round_interval.h); 0: none had.
  Duration round_pause{};
};

/// Signs of a program between the application and the tracer that speaks for the application.
struct InterceptionSigns {
  /// An envelope that was announced, dropped with RSET, and announced again. Of several the first
  /// with two RSETs or more counts.
  struct Replay {
    std::uint64_t transaction = 0;  // the second one; 0: no replay was seen
    std::uint64_t first_entry = 0;  // MAIL of the first one
    std::uint64_t reset_entry = 0;  // of the reply that dropped it
    std::uint64_t again_entry = 0;  // MAIL of the second one
    std::uint64_t rsets = 0;
    Duration round_pause{};            // as TransactionSummary::round_pause
    bool wrote_slowly_before = false;  // the client's messages so far came in several reads each
    bool message_before = false;       // one was completed in this session
    bool message_sent = false;         // the second time a message followed
    bool in_one_read = false;          // and came in one read
  };
  Replay replay;
  std::uint64_t scanned_messages = 0;     // with header fields that mail scanners add
  std::uint64_t scanned_entry = 0;        // the first such message
  std::uint64_t size_excess = 0;          // octets of the last message beyond its declared SIZE
  std::uint32_t size_excess_repeats = 0;  // how often in a row it was the same
};

/// The last of something on the wire that rules ask for.
struct LastCommand {
  std::uint64_t entry = 0;  // 0: none yet
  Verb verb = Verb::kUnknown;
  bool has_arguments = false;
  Time first, last;
  Duration idle_before{};  // nothing was owed and nobody spoke for so long before it
};
struct LastReply {
  std::uint64_t entry = 0;  // 0: none yet
  std::uint16_t code = 0;
  Answers answers = Answers::kGreeting;
  Verb verb = Verb::kUnknown;
  Time first, last;
};
/// A reply that may be why a server closes: a refusal, or a 221 that answers no QUIT.
struct LastRefusal {
  static constexpr std::size_t kKeptText = 160;

  std::uint64_t entry = 0;
  std::uint16_t code = 0;
  Time time;         // of its last octet
  std::string text;  // of its last line, the beginning
};
/// What EHLO had offered when the client sent something that may void it (STARTTLS, AUTH, XCLIENT,
/// another EHLO), for comparing with what it offers afterwards (Conversation::capabilities()).
struct Offers {
  Capabilities before;
  Verb voided_by = Verb::kUnknown;  // the last of these that succeeded
};
/// One AUTH exchange (RFC 4954 4). Of the secrets only lengths are known.
struct AuthAttempt {
  std::uint64_t entry = 0;          // of AUTH; 0: none
  std::string mechanism;            // upper case; RFC 4422 3.1: 20 octets at most
  std::uint32_t responses = 0;      // client lines that answered a 334
  std::uint64_t secret_octets = 0;  // of initial response and responses together
  std::uint16_t code = 0;           // of the reply that ended it; 0 while none
  bool initial_response = false;
  bool cancelled = false;  // the client said "*" or QUIT
  bool quit = false;       // it said QUIT
  bool encrypted = false;  // TLS was active
};
struct AuthState {
  std::uint32_t attempts = 0;
  std::uint32_t failures = 0;  // ended by 4yz or 5yz, cancelled ones aside
  AuthAttempt last;
  AuthAttempt before;  // the attempt before `last`
};
/// The outside of TLS: what its records show (RFC 8446 5.1). By index(Side) where there are two.
struct TlsState {
  std::uint64_t starttls_entry = 0;  // of STARTTLS; 0: TLS from the first octet
  Time began;                        // when STARTTLS was answered 220, or of the first record
  std::array<bool, 2> hello_seen{};  // ClientHello, ServerHello
  std::array<bool, 2> data_seen{};   // application data, which also hides the rest of a handshake
  std::array<std::uint16_t, 2> version{};     // of the hello's record
  std::optional<ClientHello> client_hello;    // what the last one says
  std::optional<ServerHello> server_hello;    // likewise
  std::optional<TlsCertificate> certificate;  // the server's own; before TLS 1.3 only
  bool certificate_requested = false;         // the server asked the client for one; likewise
  Time client_hello_at;
  std::array<Time, 2> last_record{};
  std::array<std::optional<Time>, 2> secured{};  // first Finished or application data
  std::optional<Duration> server_took;           // from the ClientHello to the ServerHello
  std::optional<Duration> client_took;  // from the server's last record to what ends the handshake
  std::array<std::uint64_t, 2> octets{};  // of the records, their headers included
  std::array<bool, 2> encrypts{};         // sent ChangeCipherSpec
  std::array<bool, 2> finished_seen{};    // a handshake record behind that, before TLS 1.3
  std::array<std::uint64_t, 2> records{};
  std::array<std::uint64_t, 2> data_records{};
  std::array<std::uint32_t, 2> first_data_octets{};  // length of the first of them
  std::uint64_t alert_entry = 0;                     // of the first readable alert
  Side alert_from = Side::kClient;
  std::uint8_t alert_level = 0;
  std::uint8_t alert_description = 0;
};
/// The TLS handshakes that smtpscope took part in, by index(Side): the last ones with the client
/// and with the server, nullptr where there was none.
struct TlsEnds {
  std::array<std::shared_ptr<const TlsFacts>, 2> with;
  std::array<Time, 2> at{};

  const TlsFacts* facts(Side side) const { return with[index(side)].get(); }
  /// The one that failed; nullptr if none did.
  const TlsFacts* failed() const {
    for (const auto& each : with) {
      if (each != nullptr && !each->completed) return each.get();
    }
    return nullptr;
  }
};
/// STARTTLS in the open, for what became of it.
struct StartTlsNotes {
  std::uint64_t sent = 0;     // entry of the first one
  std::uint64_t refused = 0;  // entry of the reply that refused the last one; 0: none did
  bool mail_behind = false;   // MAIL followed in the open, of a client that knew of the refusal
};
/// The chunks of the message that is being sent, or was sent last (RFC 3030 2).
struct ChunkNotes {
  std::uint64_t transaction = 0;
  std::uint64_t first_entry = 0;  // of its first BDAT
  std::uint64_t chunk_entry = 0;  // of the octets of its last chunk; 0: none yet
  std::uint64_t count = 0;        // BDAT commands
  std::uint64_t failed = 0;       // entry of the first reply that refused one; 0: none did
  std::uint16_t failed_code = 0;
  Time failed_at{};
};
/// Who says that it speaks for somebody else: entries of the first such header or command.
struct RelayNotes {
  std::uint64_t proxy_header = 0;
  std::uint64_t xclient = 0;
  std::uint64_t xforward = 0;
};
/// The domains that recipients of the session had, while the server limits their number (RFC 9422
/// 4.3).
struct RecipientDomains {
  static constexpr std::size_t kKept = 128;
  std::array<std::uint64_t, kKept> hashes{};
  std::size_t kept = 0;
  bool has(std::uint64_t hash) const {
    for (std::size_t i = 0; i < kept; ++i) {
      if (hashes[i] == hash) return true;
    }
    return false;
  }
};
/// Command lines in a row that are no commands anyone knows. Kept until a known one has come and
/// the next such run begins.
struct UnknownRun {
  std::uint64_t count = 0;
  std::uint64_t first_entry = 0, last_entry = 0;
  std::uint64_t headers = 0;  // of them like a header field: "Name: …"
  std::uint64_t refused = 0;  // of them answered 500 or 502 so far
  /// What came right before: DATA or BDAT that was refused; the end of a message (or its reply).
  bool behind_refused_data = false;
  bool behind_message = false;
  bool ended = false;
};
/// Commands that came while replies were owed, from one moment where none was owed to the next
/// (RFC 2920 3.1). Those before the greeting, behind QUIT, and message text behind DATA are left
/// out. Kept until the next such run begins.
struct PipelinedRun {
  // Of them those that came without PIPELINING in force.
  std::uint64_t first_entry = 0, last_entry = 0;
  std::uint32_t count = 0;
  std::uint32_t depth = 0;  // most replies owed when one of them came
  std::uint32_t verbs = 0;  // 1 << Verb
  // With it in force: those behind a command that has to be the last of its group.
  Verb group_end = Verb::kUnknown;  // the first such command
  std::uint64_t group_end_entry = 0;
  std::uint64_t first_beyond = 0;  // entry of the first command behind it
  std::uint32_t beyond = 0;        // commands behind such ones
  bool ended = false;
};
/// The mail data (RFC 5321 4.1.1.4) that ended last, for what comes behind it.
struct LastMailData {
  std::uint64_t entry = 0;     // 0: none yet
  std::uint64_t octets = 0;    // message size
  std::uint64_t declared = 0;  // SIZE= of its MAIL (RFC 1870 6); 0: none
};
/// Ends of client lines that are not CRLF (RFC 5321 2.3.8), as bits.
enum OddEnding : std::uint8_t {
  kBareLfSeen = 1 << 0,
  kBareCrSeen = 1 << 1,
  kCrCrLfSeen = 1 << 2,
};
/// Replies that took long, for patterns among them.
struct SlowReply {
  Duration think{};
  std::uint64_t entry = 0;
  std::uint16_t code = 0;
  Verb verb = Verb::kUnknown;
};
struct SlowReplies {
  static constexpr std::size_t kKept = 16;
  /// From here on a reply is kept; the patterns need those of 0.25 s and more (tarpit-pattern).
  static constexpr Duration kLeast = std::chrono::milliseconds(200);
  std::array<SlowReply, kKept> first{};  // the first of them
  std::size_t kept = 0;
};
struct LastSilence {
  Time from, to;
  Party silent = Party::kUnknown;
  std::string_view owed;
  Duration length() const { return to - from; }
};

/// What a program said of its own (capture/wire_event.h).
struct RemarkNote {
  static constexpr std::size_t kKeptText = 240;

  std::optional<Side> by;
  std::optional<Duration> length;
  std::uint64_t behind_entry = 0;  // the entry before it; 0: none
  bool outlived = false;           // the server answered next, and nobody had given up
  std::string awaited;             // what the server owed then: "the reply to RCPT"; "": nothing
  std::string text;                // the beginning
};
struct RemarkNotes {
  std::array<std::optional<RemarkNote>, kRemarkKinds> first;  // by RemarkKind
  std::uint64_t count = 0;
  RemarkKind last = RemarkKind::kException;

  /// nullptr: there is none of that kind.
  const RemarkNote* of(RemarkKind kind) const {
    const auto& note = first[static_cast<std::size_t>(kind)];
    return note ? &*note : nullptr;
  }
};

/// What the kernel said last of the connections with both sides, by index(Side). Empty: nothing, or
/// the side has spoken since.
struct TcpNotes {
  std::array<std::optional<TcpFigures>, 2> last;
  /// Of a side that has spoken since: what had been lost for a while. The last such.
  std::array<std::optional<TcpFigures>, 2> healed;
};

/// What was noticed of a session, for rules that ask for it later. Bounded, whatever the session's
/// length; what most sessions do not have is behind a pointer.
struct Evidence {
  std::uint64_t entries = 0;             // emitted so far
  std::uint64_t silences = 0;            // reported so far
  std::uint64_t holes = 0;               // gaps in the trace
  std::uint64_t transactions = 0;        // begun, refused MAILs included
  std::uint64_t messages_completed = 0;  // end-of-data answered 2yz
  std::uint64_t orphans = 0;             // replies that answered nothing
  std::uint64_t last_orphan_entry = 0;

  std::uint32_t mails_sent = 0;  // MAIL commands, failed ones among them (RFC 9422 4.1)
  /// NOOP and RSET in a row outside a transaction so far: what keeps a connection open and moves no
  /// mail.
  std::uint32_t keep_alives = 0;
  std::uint32_t error_replies = 0;   // 500 to 504 before any message was accepted
  std::uint32_t quick_replies = 0;   // 2yz and 3yz in less than SlowReplies::kLeast
  std::uint32_t quick_refusals = 0;  // 4yz and 5yz likewise
  /// Octets of a side that came after the other side had closed (index: of the speaker).
  std::array<std::uint64_t, 2> octets_behind_close{};

  bool null_sender_data = false;  // DATA, BDAT or BURL was sent for MAIL FROM:<>
  bool rtt_measured = false;      // by the kernel
  std::uint8_t odd_endings = 0;   // OddEnding, those of command lines so far

  LastCommand last_command;
  /// While a reply is being judged: the reply before it; after that, the reply itself.
  LastReply last_reply;
  /// Of the silences of at least gap_note.
  LastSilence last_silence;
  /// The last one when the client closed first; nullptr: it did not, or there was none.
  std::unique_ptr<LastSilence> before_leaving;
  bool unfinished = false;  // the trace ends, and the session has not
  /// Of them the longest of the server, or of nobody in particular.
  LastSilence longest_silence;
  /// Round trip to the server: as the kernel measured it, else the smallest time from a command
  /// to its reply so far.
  std::optional<Duration> rtt_s;
  std::optional<Duration> rtt_c;  // to the client, by the kernel only

  /// How many silences of the client [0] and the server [1] matched a round interval.
  std::array<std::array<std::uint8_t, kRoundIntervals>, 2> round_silences{};
  /// Stalls inside commands [0] and replies [1] that look like delayed acknowledgements
  /// (read_pace.h).
  std::array<std::uint8_t, 2> ack_stalls{};

  std::unique_ptr<RsetRun> rset_run;             // nullptr until the first RSET
  std::unique_ptr<TransactionSummary> previous;  // the transaction that ended last
  std::unique_ptr<AuthState> auth;               // nullptr until the first AUTH
  std::unique_ptr<TlsState> tls_state;           // nullptr until TLS begins
  std::unique_ptr<TlsEnds> tls_ends;             // nullptr until smtpscope itself spoke TLS
  std::unique_ptr<UnknownRun> unknown_run;       // nullptr until the first unknown command
  std::unique_ptr<PipelinedRun> pipelined_run;   // nullptr until the first
  std::unique_ptr<LastMailData> last_mail_data;  // nullptr until the first
  std::unique_ptr<LastRefusal> last_refusal;     // nullptr until the first
  std::unique_ptr<RefusalNotes> refusals;        // nullptr until the first
  std::unique_ptr<SlowReplies> slow_replies;     // nullptr until the first
  std::unique_ptr<Offers> offers;                // nullptr until something may void them
  std::unique_ptr<LastHello> hello_before;       // the hello before last_hello; nullptr: none
  std::unique_ptr<SmuggledEnvelope> smuggled;    // nullptr until a message held one
  std::unique_ptr<StartTlsNotes> starttls;       // nullptr until the first STARTTLS
  std::unique_ptr<ChunkNotes> chunks;            // nullptr until the first BDAT
  std::unique_ptr<RelayNotes> relay;             // nullptr until something speaks for others
  /// nullptr until a RCPT while the server offers LIMITS with RCPTDOMAINMAX.
  std::unique_ptr<RecipientDomains> rcpt_domains;
  std::unique_ptr<TcpNotes> tcp;             // nullptr until the kernel was asked
  std::unique_ptr<RemarkNotes> remarks;      // nullptr until a program said something of its own
  std::unique_ptr<InterceptionSigns> signs;  // nullptr until there is one
};

}  // namespace smtpscope
