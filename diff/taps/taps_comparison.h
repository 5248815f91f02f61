#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "diff/taps/taps_clock.h"
#include "diff/taps/taps_matching.h"
#include "parser/verb.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "trace/run_record.h"

namespace smtpscope {

/// What something between two taps did.
enum class TapsChangeKind : std::uint8_t {
  kCommandInjected,   // the server was told what the client did not say
  kCommandDropped,    // the client said what the server was not told
  kCommandRewritten,  // other octets of a command, its line end included
  kCommandReordered,
  kAnsweredBetween,  // the client had an answer before the server was asked, or without its being
  kReplyRewritten,
  kReplyInjected,  // the client was told what the server did not say
  kReplyDropped,   // the server said what the client was not told
  kKeywordMasked,  // of an EHLO reply, overwritten in place
  kKeywordRemoved,
  kKeywordAdded,
  kKeywordRewritten,  // other parameters
  kMessageInjected,   // a message as a whole
  kMessageDropped,
  kHeaderAdded,
  kHeaderRemoved,
  kHeaderRewritten,
  kHeaderMoved,
  kBodyRewritten,
  kSizeChanged,  // told where the octets that differ are not in the captures
  kLineEndsChanged,
  kDotStuffing,  // the same message, with dots stuffed otherwise (RFC 5321 4.5.2)
  kTlsEnded,     // TLS on one side of it only
  kDelayed,      // passed on, but late
};
inline constexpr std::size_t kTapsChangeKinds =
    static_cast<std::size_t>(TapsChangeKind::kDelayed) + 1;
/// For programs: "command-injected".
std::string_view to_string(TapsChangeKind kind);

/// One thing that is not the same at both taps. What was seen stands as it came off the wire.
struct TapsChange {
  TapsChangeKind kind = TapsChangeKind::kCommandInjected;
  Verb verb = Verb::kUnknown;  // of the command that it is about, if any
  ExchangeKind exchange = ExchangeKind::kCommand;
  std::string subject;                   // what it is about, in words
  std::string near_client, near_server;  // what was seen there; "" for nothing
  SessionId session_near_client = 0, session_near_server = 0;  // 0: none
  std::uint64_t entry_near_client = 0, entry_near_server = 0;  // 0: none
  /// kCommandDropped, kMessageDropped: what the client was told all the same, the first line.
  std::string answer;
  /// kDelayed: for how long. kAnsweredBetween: how long before the server was asked, if it was.
  std::optional<Duration> time;
  bool on_the_way_back = false;  // kDelayed: the reply was, not the command
  bool again = false;            // kCommandInjected: the client did say it, but once less
  bool usual = false;            // what a mail server adds that is meant to be there
};

/// One exchange as a tap saw it.
struct TapsStep {
  const SessionRecord* session = nullptr;
  const ExchangeRecord* exchange = nullptr;
};

/// An exchange seen at both taps, or at one of them.
struct TapsRow {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t near_client = kNone, near_server = kNone;  // in TapsDialogue::steps_…
  std::uint32_t first_change = 0, change_count = 0;        // in TapsDialogue::changes
  bool moved = false;   // it stands at another place at the other tap
  bool unseen = false;  // the other tap did not see this part: no change
  /// Between the taps, the command from client to server, and the reply back. Not known where
  /// there is none, or no clock.
  std::optional<Duration> forward, back;
  /// Both together, by two differences of one clock each: exact. Negative where the client had its
  /// answer before the server had been asked.
  std::optional<Duration> added;

  bool both() const { return near_client != kNone && near_server != kNone; }
};

/// Sessions that are one dialogue, as both taps saw it. Mostly one of each; several where what is
/// in between uses one connection for several clients, or several for one.
struct TapsDialogue {
  std::vector<const SessionRecord*> near_client, near_server;
  TapsMatchedBy matched_by = TapsMatchedBy::kMessage;
  ClockOffset clock;
  std::vector<TapsStep> steps_near_client, steps_near_server;
  std::vector<TapsRow> rows;  // in order
  /// Those of the rows in their order, then those of the messages, from `of_messages` on.
  std::vector<TapsChange> changes;
  std::size_t of_messages = 0;
  std::uint64_t messages = 0;              // compared
  std::uint64_t messages_in_part = 0;      // of them, not all of which is in the captures
  std::vector<std::string> not_evaluated;  // what could not be compared, and why; clauses
  bool has_hole = false;  // in one of the traces: what it lost looks as if it had been taken out
  /// By the rules two-point-divergence and interception-suspected.
  struct Raised {
    const Rule* rule = nullptr;
    Severity severity = Severity::kInfo;
    Certainty certainty = Certainty::kSeen;
    std::string text;
    std::vector<Attribute> attributes;
  };
  std::vector<Raised> raised;
};

/// How long things took between the taps.
struct TapsDelays {
  std::size_t exchanges = 0;  // measured
  Duration median{}, most{};
  std::size_t dialogue = 0, row = 0;  // where the most was
};

/// A session without a counterpart, and what that may mean.
struct TapsLoneSession {
  enum class Meaning : std::uint8_t {
    kBlocked,       // near the client: it, or what it said, did not come through
    kOpened,        // near the server: by what is in between
    kOtherClient,   // near the server: from an address that no matched session came from
    kNotRecorded,   // it began before the other capture did
    kWithoutWords,  // no command: a look whether the port is open
  };
  const SessionRecord* session = nullptr;
  Meaning meaning = Meaning::kBlocked;
  bool after_the_other = false;  // it began behind the last event of the other capture
  bool is_change() const { return meaning == Meaning::kBlocked || meaning == Meaning::kOpened; }
};
std::string_view to_string(TapsLoneSession::Meaning meaning);

/// One run, recorded at two places. The records must outlive it.
struct TapsComparison {
  const RunRecord* near_client = nullptr;
  const RunRecord* near_server = nullptr;
  std::string name_near_client, name_near_server;  // of the taps, for people
  TapsClock clock;
  std::vector<TapsDialogue> dialogues;  // in order of their first session near the client
  std::vector<TapsLoneSession> only_near_client, only_near_server;
  std::array<std::uint64_t, kTapsChangeKinds> counts{};
  TapsDelays delays;
  /// In whole sentences: what is in between does, what to do next, what this cannot show.
  std::vector<VerdictLine> verdict;
  /// Nothing could be matched, or the captures are the wrong way round: why, and what to do. Then
  /// there is nothing else in it.
  std::string trouble;

  /// Something in between changed something.
  bool changed() const;
};

/// Lays beside each other what a tap near the client and one near the server recorded of the same
/// sessions. Exact: nothing is set aside. `rules` has the thresholds, and the rules that are on.
/// Takes near linear time.
TapsComparison compare_taps(const RunRecord& near_client, const RunRecord& near_server,
                            const RuleSet& rules);

}  // namespace smtpscope
