#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/side.h"
#include "base/time.h"
#include "capture/wire_event.h"
#include "parser/item.h"
#include "timeline/round_interval.h"
#include "timeline/severity.h"
#include "timeline/transaction.h"

namespace smtpscope {

/// Something that is owed a reply, from the moment it was sent: a command, an AUTH response, an
/// end of data.
struct PendingExchange {
  Exchange exchange = 0;
  std::uint64_t entry = 0;                 // number of its entry
  Time first, last;                        // arrival of its octets
  std::uint64_t transaction = 0;           // that it belongs to; 0: none
  std::uint32_t recipient = kNoRecipient;  // RCPT: index in the transaction's recipients
  std::uint32_t pending_before = 0;        // replies owed when its first octet arrived
  Verb verb = Verb::kUnknown;
  Answers kind = Answers::kCommand;
  bool has_arguments = false;
  bool ends_message = false;  // end of data, BDAT LAST, BURL LAST: its reply decides the message
  bool answered = false;      // at least once

  static constexpr std::uint32_t kNoRecipient = ~std::uint32_t{0};
};

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
};

/// How a side's direction was closed.
struct CloseRecord {
  CloseKind kind = CloseKind::kFin;
  bool by_proxy = false;
  Time time;
};

/// The last of something on the wire that rules ask for.
struct LastCommand {
  std::uint64_t entry = 0;  // 0: none yet
  Verb verb = Verb::kUnknown;
  bool has_arguments = false;
  Time first, last;
};
struct LastReply {
  std::uint64_t entry = 0;  // 0: none yet
  std::uint16_t code = 0;
  Answers answers = Answers::kGreeting;
  Verb verb = Verb::kUnknown;
  Time first, last;
};
struct LastSilence {
  Time from, to;
  Party silent = Party::kUnknown;
  std::string_view owed;
  Duration length() const { return to - from; }
};

/// Where a session stands (rules 1.3), as the tracker keeps it and rules read it. Bounded,
/// whatever the session's length.
struct SessionState {
  enum class Greeting : std::uint8_t { kPending, kOk, kRefused };
  enum class Hello : std::uint8_t { kNone, kHelo, kEhlo, kLhlo };

  Greeting greeting = Greeting::kPending;
  Hello hello = Hello::kNone;
  bool mid_session = false;
  bool tls = false;  // opaque from here on
  bool authenticated = false;
  bool connected = false;  // the server side accepted the connection
  bool connect_failed = false;
  bool quit_sent = false;
  bool quit_answered = false;     // with 221
  bool null_sender_data = false;  // DATA, BDAT or BURL was sent for MAIL FROM:<>
  std::uint16_t hangup_code = 0;  // 421 or 521 once the server said it
  std::uint64_t hangup_entry = 0;

  Time opened;
  Time connected_at;
  std::uint64_t entries = 0;             // emitted so far
  std::uint64_t silences = 0;            // told so far
  std::uint64_t holes = 0;               // gaps in the trace
  std::uint64_t transactions = 0;        // begun, refused MAILs included
  std::uint64_t messages_completed = 0;  // end-of-data answered 2yz

  LastCommand last_command;
  /// While a reply is being judged: the reply before it; after that, the reply itself.
  LastReply last_reply;
  /// Of the silences of at least gap_note.
  LastSilence last_silence;
  /// Smallest time from a command to its reply so far; stands for the round trip to the server.
  std::optional<Duration> rtt_s;

  std::array<std::optional<CloseRecord>, 2> closes;  // by index(Side): how it closed first
  std::optional<Side> first_closer;
  /// How many silences of the client [0] and the server [1] matched a round interval.
  std::array<std::array<std::uint8_t, kRoundIntervals>, 2> round_silences{};

  std::unique_ptr<RsetRun> rset_run;             // nullptr until the first RSET
  std::unique_ptr<TransactionSummary> previous;  // the transaction that ended last
};

}  // namespace smtpscope
