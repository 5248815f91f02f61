#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parser/path.h"
#include "timeline/event.h"
#include "timeline/rule.h"
#include "timeline/rule_set.h"
#include "timeline/state/session_state.h"

namespace smtpscope {

class ArrivalTimes;
class Conversation;
class PendingExchanges;
class RuleEngine;
class RunHistory;

/// What a rule says when it fires. RuleContext::finding() fills in the rule's usual severity and
/// fault and certainty, the time of what is being judged, and its transaction; the rule adds the
/// rest.
struct Finding {
  Severity severity = Severity::kInfo;
  Fault fault = Fault::kUnknown;
  Certainty certainty = Certainty::kSeen;
  std::string_view variant;  // static lifetime
  Time time;
  std::uint64_t transaction = 0;
  std::string text;  // one sentence with the evidence
  /// Numbers of the entries that prove it, in any order. 0, which everywhere stands for no entry,
  /// is left out.
  std::vector<std::uint64_t> entries;
  std::vector<Attribute> attributes;
  /// Other explanations that the evidence excludes, each with its reason: for the verdict.
  std::vector<std::string> ruled_out;
  /// Id of a headline that is certain to come and will say it: folded at once. "" otherwise; the
  /// precedence table (timeline/precedence.cc) sees to the rest.
  std::string_view folded_under;
  /// For folding, where the finding is about something before this moment: the number of its entry,
  /// and of its silence. 0: those of the moment.
  std::uint64_t place = 0;
  std::uint64_t silence = 0;
};

/// What happened, as far as rules are asked about it. Pointers that do not apply are nullptr.
struct Moment {
  Time now;
  const Entry* entry = nullptr;
  const Command* command = nullptr;    // entry, if it is one
  const Reply* reply = nullptr;        // likewise
  const PathArgument* path = nullptr;  // of a command that has one
  const PendingExchange* answered = nullptr;
  const Silence* silence = nullptr;
  const Transaction* transaction = nullptr;
  const Transaction* ended = nullptr;
  const Closed* closed = nullptr;
  const TimelineBlocked* blocked = nullptr;
  std::string_view connect_failure = {};
};

/// What a rule may see, and its voice. Rules are pure: the same context gives the same findings.
/// Lives during one evaluation; nothing in it may be kept.
class RuleContext {
 public:
  /// What the tracker knows; all must outlive the context.
  struct Sources {
    const SessionState& session;
    const RuleSet& rules;
    const Conversation& conversation;
    const ArrivalTimes& arrivals;
    const PendingExchanges& pending;
    const RunHistory& history;
  };

  RuleContext(const Moment& moment, const Sources& sources, RuleEngine& engine)
      : moment_(moment), sources_(sources), engine_(engine) {}

  /// The time of the wire event that led here.
  Time now() const { return moment_.now; }
  /// The session's number in the run.
  SessionId session_number() const;

  /// The entry being judged. Also set at kOnTransactionEnd when an entry ended it; nullptr at
  /// silences, closes and the session's end.
  const Entry* entry() const { return moment_.entry; }
  /// entry() as a command or a reply; nullptr when it is none.
  const Command* command() const { return moment_.command; }
  const Reply* reply() const { return moment_.reply; }
  /// kOnCommand: the argument of MAIL, SEND, SOML, SAML or RCPT, taken apart. Not for others.
  const PathArgument& path() const { return *moment_.path; }
  /// A reply: what it answers; nullptr for the greeting, orphans and unsolicited replies.
  const PendingExchange* answered() const { return moment_.answered; }
  /// A reply that answers a command of this verb (not its end of data).
  bool answers(Verb verb) const;

  /// kOnSilence: the silence that has just ended.
  const Silence* silence() const { return moment_.silence; }
  /// kOnClose, and kOnTransactionEnd when a close ended it.
  const Closed* closed() const { return moment_.closed; }
  /// kOnBlocked.
  const TimelineBlocked* blocked() const { return moment_.blocked; }
  /// kOnConnectFailed: why, in words.
  std::string_view connect_failure() const { return moment_.connect_failure; }

  /// The transaction that this is about; nullptr if none. At kOnTransactionEnd the one that ended;
  /// else the one that the entry or silence belongs to, else the one that the server has open.
  const Transaction* transaction() const { return moment_.transaction; }
  /// The transaction that ended in this very moment. Set for kOnTransactionEnd, and for kOnReply
  /// when the reply ended it.
  const Transaction* ended() const { return moment_.ended; }

  /// At kOnCommand before the command, at kOnReply after the reply changed it (but see
  /// SessionState::last_reply). `previous` is the
  /// transaction before the one that is ending.
  const SessionState& session() const { return sources_.session; }
  /// For capabilities, phase, replies owed.
  const Conversation& conversation() const { return sources_.conversation; }
  /// What is owed a reply. At kOnCommand without the command itself, at kOnReply with what the
  /// reply answered still in it (PendingExchange::answered).
  const PendingExchanges& pending() const { return sources_.pending; }
  /// What other sessions of the run showed; this session's own transactions are added as they end.
  const RunHistory& history() const { return sources_.history; }
  Duration threshold(Threshold which) const { return sources_.rules.thresholds().duration(which); }
  const Thresholds& thresholds() const { return sources_.rules.thresholds(); }
  std::uint64_t threshold_count(Threshold which) const {
    return sources_.rules.thresholds().count(which);
  }
  /// Round trip to the server as far as known, else zero.
  Duration rtt() const { return session().rtt_s.value_or(Duration::zero()); }
  /// How often a rule fired in this session so far, in settled moments; folded ones count. Only
  /// rules before this one in the catalogue, and moments before this one, are certain to be in.
  std::uint32_t fired(const Rule& rule) const;
  /// Of these the ones of a variant: a server shows an odd habit in each of its replies, which is
  /// worth one line.
  std::uint32_t fired(const Rule& rule, std::string_view variant) const;
  /// A time between two events of the session, for a finding's text, as exact as the trace tells
  /// it: "10.003 s", "about 10 s", "an unknown time".
  std::string measured(Duration duration) const;
  /// When the octet before stream offset `end` of `side` arrived; for offsets inside entry().
  Time arrived(Side side, std::uint64_t end) const;

  /// A finding with everything filled in that the rule and the moment know.
  Finding finding() const;
  void fire(Finding&& finding);
  /// kOnCommand: the finding waits for the reply to this command, which is then told behind its
  /// text ("; the server answered 555") and added to its entries and attributes, unless
  /// Rule::answered does that. Without a reply it comes when the session ends.
  void fire_when_answered(Finding finding);
  /// The rule cannot be decided for this session, and why (static lifetime, a clause: "what comes
  /// inside TLS is not visible"). Told once, at the session's end.
  void not_evaluated(std::string_view why);

 private:
  const Moment& moment_;
  const Sources& sources_;
  RuleEngine& engine_;
};

}  // namespace smtpscope
