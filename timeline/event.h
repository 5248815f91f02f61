#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/side.h"
#include "base/time.h"
#include "capture/wire_event.h"
#include "parser/item.h"
#include "timeline/rule.h"
#include "timeline/severity.h"
#include "timeline/state/transaction.h"

namespace smtpscope {

struct RefusedReply;

/// A session begins: its number, addresses, and when.
struct TimelineSessionStarted {
  std::string_view client, listener, upstream;
  bool mid_session = false;
  Fidelity fidelity = {};
  std::string_view announced_by = {};  // as in SessionOpened
  std::string_view route = {};         // likewise
};

/// The server side answered, or not.
struct TimelineConnected {
  std::string_view server;
  Duration took{};
  std::uint32_t failed_attempts = 0;
};
struct TimelineConnectFailed {
  std::string_view reason;
};

/// Where an entry stands in a transaction; what the bracket at the margin is drawn from.
enum class TxnMark : std::uint8_t { kOutside, kBegins, kInside, kEndsWell, kEndsBadly };

/// One read that contributed to an entry.
struct ReadPiece {
  Time time;
  std::uint64_t octets = 0;  // of this entry in that read
};

/// One item with its times, what it answers, and where it stands.
struct Entry {
  std::uint64_t number = 0;    // from 1 within the session, in order of appearance
  const Item* item = nullptr;  // valid during the call
  bool by_proxy = false;       // smtpscope said it, no server
  bool undelivered = false;    // the other side was gone
  bool tls = false;            // it came inside TLS, into which smtpscope sees
  bool unsolicited = false;    // a 421/521 that came too soon to answer the command it met
  Time first;                  // arrival of its first octet
  Time last;                   // of its last
  Duration since_previous{};   // first - last of the entry (or other event) before it
  std::uint64_t answers = 0;   // a reply: the entry that it answers; 0: none, or the greeting
  /// How long the speaker took. A reply: from the end of what it answers, or of the reply before,
  /// whichever came later; a command with no reply owed: from the entry before it.
  std::optional<Duration> think;
  /// A reply that refuses: why. nullptr otherwise; valid during the call.
  const RefusedReply* refusal = nullptr;
  std::uint64_t transaction = 0;  // number; 0: outside
  TxnMark mark = TxnMark::kOutside;
  std::span<const ReadPiece> reads;       // the first kKeptReads reads that carried it
  std::span<const ReadPiece> last_reads;  // the last kLastReads of them; `reads` may hold them too
  std::uint64_t read_count = 0;
};

/// What a Silence can say is owed, where rules tell it apart.
inline constexpr std::string_view kOwedConnection = "the connection to the server";
inline constexpr std::string_view kOwedGreeting = "the greeting";
inline constexpr std::string_view kOwedCommand = "a command";
inline constexpr std::string_view kOwedRestOfCommand = "the rest of a command";
inline constexpr std::string_view kOwedMailData = "mail data";
inline constexpr std::string_view kOwedMessageOrReply = "mail data, or the reply to its end";
inline constexpr std::string_view kOwedChunk = "the octets of a chunk";
inline constexpr std::string_view kOwedEndOfData = "the reply to the end of data";
inline constexpr std::string_view kOwedMailReply = "the reply to MAIL";
inline constexpr std::string_view kOwedRcptReply = "the reply to RCPT";
inline constexpr std::string_view kOwedDataReply = "the reply to DATA";
inline constexpr std::string_view kOwedBdatReply = "the reply to BDAT";
inline constexpr std::string_view kOwedClose = "the close";

/// A silence of at least the reporting threshold, told when it ended.
struct Silence {
  Time from, to;
  Party silent = Party::kUnknown;  // who owed the next octet
  std::string_view owed;           // what was awaited: kOwed… above, "the reply to RCPT" …
  std::uint64_t transaction = 0;
  /// Inside a message: how many octets of it (RFC 1870 5: without dot stuffing) had come before.
  std::optional<std::uint64_t> message_octets;
  Duration length() const { return to - from; }
};

/// One fact that proves an annotation, by name: count, spacing, code …
using Attribute = std::pair<std::string, std::string>;

/// A rule that fired.
struct Annotation {
  std::uint64_t number = 0;    // from 1 within the session
  const Rule* rule = nullptr;  // stable id, reference, explanation
  std::string_view variant;    // sub-kind of the rule, "" if it has none
  Severity severity = Severity::kInfo;
  Fault fault = Fault::kUnknown;
  Certainty certainty = Certainty::kSeen;
  Time time;         // of what it is about
  std::string text;  // one sentence with the evidence, honest about what is proven
  std::vector<std::uint64_t> entries;  // numbers of the entries that prove it
  std::uint64_t transaction = 0;
  std::vector<Attribute> attributes;
  std::string_view folded_under;  // id of the headline that already says it; "" if none (yet)
};

/// An annotation given before belongs under a headline given now.
struct AnnotationFolded {
  std::uint64_t number = 0;
  std::string_view under;  // id
};

/// A transaction ended; `transaction` is complete.
struct TransactionEnded {
  const Transaction* transaction = nullptr;
};

/// A direction was closed.
struct TimelineClosed {
  Closed closed;
  Duration since_previous{};
};

/// Octets that are missing from the trace, or an own stall of the proxy, or a peer not reading.
struct TimelineGap {
  Gap gap;
};
struct TimelineStalled {
  Time from, to;
};
struct TimelineBlocked {
  Side to = Side::kServer;
  Time from, until;
  std::uint64_t octets = 0;
};

/// How the connection with a side did during a silence, or at an end behind one.
struct TimelineTcp {
  TcpReport report;
};

/// A TLS handshake that smtpscope took part in is over, completed or not.
struct TimelineTls {
  TlsHandshake handshake;
  Duration since_previous{};
};
/// A TLS alert outside a handshake.
struct TimelineTlsAlert {
  TlsAlerted alert;
};
/// What smtpscope and the server said to each other without the client.
struct TimelineAside {
  Side from = Side::kServer;
  std::string_view text;  // one line or several, with their line ends
  Duration since_previous{};
};
/// The other side was given something else than what `from` said, or gets it later or never.
struct TimelineRewritten {
  Side from = Side::kServer;
  std::string_view instead;   // "" where the entries around it tell
  std::string_view scenario;  // the line of it that wanted that; "" for none
};

/// What a program said of its own, in its log.
struct TimelineRemark {
  Remark remark;
  Duration since_previous{};
};

/// The outside of a session's TLS. By index(Side) where there are two.
struct TlsTotals {
  std::uint16_t version = 0;       // that the server chose; 0: no ServerHello could be read
  std::uint16_t cipher_suite = 0;  // likewise
  bool resumed = false;
  std::optional<Duration> handshake;    // from STARTTLS's 220, or the ClientHello, until both sides
                                        // have sent something that ends it; nothing: they have not
  std::optional<Duration> server_took;  // from the ClientHello to the ServerHello
  std::optional<Duration> client_took;  // from the server's last record to the client's part
  std::array<std::uint64_t, 2> records{};
  std::array<std::uint64_t, 2> octets{};  // of the records, with their headers
};

/// Totals of a session.
struct SessionTotals {
  Time began, ended;
  std::uint64_t octets[2] = {0, 0};  // by index(Side)
  /// Verb in lower case, accepted, sent; sorted. Postfix writes "rcpt=1/2" for them.
  std::vector<std::pair<std::string, std::pair<std::uint64_t, std::uint64_t>>> commands;
  std::uint64_t transactions = 0;
  std::array<std::uint64_t, 6> outcomes{};              // by Outcome
  Duration idle_client{}, idle_server{}, idle_proxy{};  // who kept whom waiting, all waits summed
  std::uint64_t annotations = 0;                        // not folded
  std::optional<Severity> worst;
  bool ended_cleanly = false;    // QUIT and 221 were seen
  std::optional<TlsTotals> tls;  // nothing: no TLS record was seen
};

/// What a line of the verdict is.
enum class VerdictKind : std::uint8_t {
  kLead,          // the first line: what became of the mail and why, in one sentence
  kMessage,       // what became of a message
  kProof,         // what shows it: the server's words, findings
  kFinding,       // what else went wrong, on which side, how certain
  kLikely,        // of two traces compared: the likeliest explanation
  kAlternative,   // what would explain it nearly as well
  kCheck,         // what to check next, in order
  kRuledOut,      // what it is not, and why
  kNoFault,       // a side that nothing speaks against
  kNotEvaluated,  // what could not be judged, and why
  kWaiting,       // who kept whom waiting
  kAltered,       // a scenario changed what the sides were given
};
std::string_view to_string(VerdictKind kind);

struct VerdictLine {
  VerdictKind kind = VerdictKind::kMessage;
  std::string text = {};
  // Of kLead and kAlternative, where there is a cause.
  std::string_view cause = {};   // id; static lifetime
  std::string_view reason = {};  // of the server, by name; "" if it has none
  Fault side = Fault::kUnknown;
  Certainty certainty = Certainty::kSeen;
};

/// A rule that could not be decided, and why: a clause of static lifetime.
struct NotEvaluated {
  const Rule* rule = nullptr;
  std::string_view why;
};

/// The session is over: totals and what happened, in words, a line each.
struct TimelineSessionEnded {
  const SessionTotals* totals = nullptr;
  std::span<const VerdictLine> verdict;  // empty if the sink does not read it
  std::span<const NotEvaluated> not_evaluated;
  bool unfinished = false;  // the trace ends, the session does not: what is known so far
};

/// What exporters, and later diff, are given: one session's events in order of time.
struct TimelineEvent {
  SessionId session = 0;
  Time time;
  std::variant<TimelineSessionStarted, TimelineConnected, TimelineConnectFailed, Entry, Silence,
               Annotation, AnnotationFolded, TransactionEnded, TimelineClosed, TimelineGap,
               TimelineStalled, TimelineBlocked, TimelineSessionEnded, TimelineTls,
               TimelineTlsAlert, TimelineAside, TimelineRewritten, TimelineRemark, TimelineTcp>
      body;
};

class TimelineSink {
 public:
  virtual ~TimelineSink() = default;
  virtual void on_timeline(const TimelineEvent& event) = 0;
  /// False: it does not look at TimelineSessionEnded::verdict, which then need not be put in words.
  virtual bool reads_verdict() const { return true; }
};

}  // namespace smtpscope
