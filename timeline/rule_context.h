#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/event.h"
#include "timeline/rule.h"
#include "timeline/session_state.h"
#include "timeline/tracker_options.h"

namespace smtpscope {

class ArrivalTimes;
class Conversation;
class RuleEngine;

/// What a rule says when it fires. RuleContext::finding() fills in the rule's usual severity and
/// fault, the time of what is being judged, and its transaction; the rule adds the rest.
struct Finding {
  Severity severity = Severity::kInfo;
  Fault fault = Fault::kUnknown;
  std::string_view variant;  // static lifetime
  Time time;
  std::uint64_t transaction = 0;
  std::string text;  // one sentence with the evidence
  /// Numbers of the entries that prove it, in any order. 0, which everywhere stands for no entry,
  /// is left out.
  std::vector<std::uint64_t> entries;
  std::vector<Attribute> attributes;
  /// Id of a headline that is certain to come and will say it: folded at once. "" otherwise; the
  /// precedence table (timeline/precedence.cc) sees to the rest.
  std::string_view folded_under;
};

/// What happened, as far as rules are asked about it. Pointers that do not apply are nullptr.
struct Moment {
  Time now;
  const Entry* entry = nullptr;
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
  RuleContext(const Moment& moment, const SessionState& session, const TrackerOptions& options,
              const Conversation& conversation, const ArrivalTimes& arrivals, RuleEngine& engine)
      : moment_(moment),
        session_(session),
        options_(options),
        conversation_(conversation),
        arrivals_(arrivals),
        engine_(engine) {}

  /// The time of the wire event that led here.
  Time now() const { return moment_.now; }

  /// The entry being judged. Also set at kOnTransactionEnd when an entry ended it; nullptr at
  /// silences, closes and the session's end.
  const Entry* entry() const { return moment_.entry; }
  /// entry() as a command or a reply; nullptr when it is none.
  const Command* command() const;
  const Reply* reply() const;
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
  const SessionState& session() const { return session_; }
  /// For capabilities, phase, replies owed.
  const Conversation& conversation() const { return conversation_; }
  const TrackerOptions& options() const { return options_; }
  /// Round trip to the server as far as known, else zero.
  Duration rtt() const { return session_.rtt_s.value_or(Duration::zero()); }
  /// When the octet before stream offset `end` of `side` arrived; for offsets inside entry().
  Time arrived(Side side, std::uint64_t end) const;

  /// A finding with everything filled in that the rule and the moment know.
  Finding finding() const;
  void fire(Finding finding);

 private:
  const Moment& moment_;
  const SessionState& session_;
  const TrackerOptions& options_;
  const Conversation& conversation_;
  const ArrivalTimes& arrivals_;
  RuleEngine& engine_;
};

}  // namespace smtpscope
