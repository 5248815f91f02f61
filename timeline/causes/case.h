#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parser/capabilities.h"
#include "timeline/event.h"
#include "timeline/reasons/reason_table.h"
#include "timeline/rule_engine.h"
#include "timeline/rule_set.h"
#include "timeline/state/refusal_notes.h"
#include "timeline/state/session_state.h"
#include "timeline/verdict/transaction_tally.h"

namespace smtpscope {

/// All that is known of a session when its causes are weighed: a view, valid during the verdict.
class Case {
 public:
  Case(const SessionState& session, const SessionTotals& totals,
       std::span<const TransactionTally> messages, const Capabilities& offered,
       const RuleEngine& findings, const RuleSet& rules);

  const SessionState& session() const { return session_; }
  const SessionTotals& totals() const { return totals_; }
  /// The first kTalliedTransactions of them.
  std::span<const TransactionTally> messages() const { return messages_; }
  /// What EHLO offers now.
  const Capabilities& offered() const { return offered_; }
  /// Of refusals only: the table that is compiled in is made when it is first asked for, which
  /// takes longer than a short session.
  const ReasonTable& reasons() const { return rules_.reasons(); }

  /// A rule fired, folded under another or not.
  bool found(const Rule& rule) const { return findings_.fired(rule) > 0; }
  bool found(const Rule& rule, std::string_view variant) const {
    return findings_.fired(rule, variant) > 0;
  }
  /// What it said, if that is kept: of the gravest findings. nullptr otherwise.
  const RuleEngine::Told* told(const Rule& rule) const;
  std::span<const RuleEngine::Told> told() const { return findings_.told(); }

  /// The first message that did not reach the server; nullptr: none, or no message was begun.
  const TransactionTally* lost() const { return lost_; }
  std::uint64_t outcomes(Outcome outcome) const {
    return totals_.outcomes[static_cast<std::size_t>(outcome)];
  }
  bool all_delivered() const {
    return totals_.transactions > 0 && outcomes(Outcome::kAccepted) == totals_.transactions;
  }

  /// The refusal that decided what became of the mail: that of the first lost message, or of what
  /// it follows from (a refused login, a refused STARTTLS); without messages the one that the
  /// client gave up after. nullptr: nothing was refused that mattered.
  const RefusedReply* refusal() const { return refusal_; }
  bool refused_for(ReplyReason reason) const {
    return refusal_ != nullptr && refusal_->judged.reason == reason;
  }
  /// A refusal of this reason is among those kept.
  const RefusedReply* any_refusal(ReplyReason reason) const;

  /// The client left first, while the server owed it something.
  bool client_gave_up() const { return wait_given_up() != nullptr; }
  /// The silence of the server that the client ended so; nullptr if it did not.
  const LastSilence* wait_given_up() const;
  /// How a side closed; nullptr while it has not.
  const CloseRecord* close_of(Side side) const;
  /// What a program said of its own, of that kind; nullptr: nothing.
  const RemarkNote* remark(RemarkKind kind) const;
  /// What the kernel said last of the connection with a side; nullptr: nothing, or the side has
  /// spoken since.
  const TcpFigures* tcp_of(Side side) const;
  /// The port in "host:port" of the server as the user named it; 0: unknown.
  std::uint16_t server_port() const;
  /// A time for a headline, as exact as the trace tells it.
  std::string measured(Duration duration) const;

 private:
  const RefusedReply* decisive() const;
  /// A 421 that came when the client had closed already: "421 lost connection".
  bool behind_client(const RefusedReply& refusal) const;

  const SessionState& session_;
  const SessionTotals& totals_;
  std::span<const TransactionTally> messages_;
  const Capabilities& offered_;
  const RuleEngine& findings_;
  const RuleSet& rules_;
  const TransactionTally* lost_ = nullptr;
  const RefusedReply* refusal_ = nullptr;
};

}  // namespace smtpscope
