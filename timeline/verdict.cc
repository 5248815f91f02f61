#include "timeline/verdict.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

std::string recipients(std::uint64_t count) {
  return fmt::format("{} recipient{}", count, count == 1 ? "" : "s");
}

/// What ended a transaction early, as the end of a sentence.
std::string_view by_whom(AbortedBy cause) {
  switch (cause) {
    case AbortedBy::kNothing:
      return "nothing in the trace says why";
    case AbortedBy::kRset:
      return "the client side gave it up with RSET";
    case AbortedBy::kHello:
      return "the client side began again with EHLO or HELO";
    case AbortedBy::kMail:
      return "the client side began another one with MAIL";
    case AbortedBy::kQuit:
      return "the client side said QUIT instead";
    case AbortedBy::kClientClose:
      return "the client side closed the connection";
    case AbortedBy::kServerClose:
      return "the server side closed the connection";
    case AbortedBy::kReset:
      return "the connection was reset";
    case AbortedBy::kTimeout:
      return "the connection timed out";
    case AbortedBy::k421:
      return "the server ended the session with 421";
    case AbortedBy::kStartTls:
      return "STARTTLS set the session back";
    case AbortedBy::kXclient:
      return "XCLIENT set the session back";
    case AbortedBy::kProxy:
      return "smtpscope ended the session";
  }
  return "";
}

std::string_view why_unknown(AbortedBy cause) {
  switch (cause) {
    case AbortedBy::kClientClose:
    case AbortedBy::kServerClose:
    case AbortedBy::kReset:
    case AbortedBy::kTimeout:
    case AbortedBy::k421:
    case AbortedBy::kProxy:
      return by_whom(cause);
    default:
      return "it is missing from the trace";
  }
}

std::string fate(const TransactionTally& txn) {
  switch (txn.outcome) {
    case Outcome::kAccepted:
      return fmt::format("accepted for {}, {} octets{}", recipients(txn.rcpt_accepted), txn.octets,
                         txn.undelivered
                             ? ", but the client side was gone and does not know: expect it twice"
                             : "");
    case Outcome::kPartial:
      return fmt::format("accepted for a part of its {}", recipients(txn.rcpt_sent));
    case Outcome::kRejected: {
      const std::uint16_t code = txn.final_code != 0 ? txn.final_code : txn.refusal_code;
      return fmt::format("refused by the server with {}; nothing was delivered", code);
    }
    case Outcome::kAborted:
      return fmt::format("not sent: {}; nothing was delivered", by_whom(txn.aborted_by));
    case Outcome::kUnknown:
      if (!txn.data_sent) return "its end is not in the trace";
      return fmt::format(
          "sent, but no final reply was seen ({}): it may have been delivered or not",
          why_unknown(txn.aborted_by));
    case Outcome::kOpen:
      break;
  }
  return "still open";
}

std::string by_outcome(const SessionTotals& totals) {
  std::string text;
  for (const Outcome outcome : {Outcome::kAccepted, Outcome::kPartial, Outcome::kRejected,
                                Outcome::kAborted, Outcome::kUnknown}) {
    const std::uint64_t count = totals.outcomes[static_cast<std::size_t>(outcome)];
    if (count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, to_string(outcome));
  }
  return fmt::format("{} transactions: {}", totals.transactions, text);
}

std::string without_transaction(const SessionState& state) {
  if (state.connect_failed) return "the server side could not be reached; no mail moved";
  if (state.tls) return "no transaction was seen before TLS; what came inside TLS is not visible";
  if (state.greeting == SessionState::Greeting::kPending && !state.mid_session) {
    return "no transaction: the server never greeted";
  }
  if (state.greeting == SessionState::Greeting::kRefused) {
    return "no transaction: the server refused the session in its greeting";
  }
  return "no transaction was begun";
}

std::string_view whose(Fault fault) {
  switch (fault) {
    case Fault::kClient:
      return "client side";
    case Fault::kServer:
      return "server side";
    case Fault::kNetwork:
      return "network";
    case Fault::kProxy:
      return "smtpscope itself";
    case Fault::kUnknown:
      break;
  }
  return "side not proven";
}

}  // namespace

std::string_view to_string(VerdictKind kind) {
  constexpr std::array<std::string_view, 8> kNames = {
      "message", "finding", "likely", "check", "ruled-out", "no-fault", "not-evaluated", "waiting"};
  return kNames[static_cast<std::size_t>(kind)];
}

TransactionTally TransactionTally::of(const Transaction& transaction) {
  return {.number = transaction.number,
          .octets = transaction.facts.octets,
          .rcpt_sent = transaction.rcpt_sent,
          .rcpt_accepted = transaction.rcpt_accepted,
          .final_code = transaction.final_code,
          .refusal_code =
              transaction.refusal_code != 0 ? transaction.refusal_code : transaction.mail_code,
          .outcome = transaction.outcome,
          .aborted_by = transaction.aborted_by,
          .data_sent = transaction.data_sent,
          .undelivered = transaction.final_undelivered};
}

std::vector<VerdictLine> verdict(const SessionState& state, const SessionTotals& totals,
                                 std::span<const TransactionTally> tallies,
                                 const RuleEngine& findings) {
  std::vector<VerdictLine> lines;
  const auto say = [&](VerdictKind kind, std::string text) {
    lines.push_back({.kind = kind, .text = std::move(text)});
  };
  using enum VerdictKind;
  if (totals.transactions == 0) {
    say(kMessage, without_transaction(state));
  } else if (totals.transactions > kTalliedTransactions) {
    say(kMessage, by_outcome(totals));
  } else {
    for (const TransactionTally& txn : tallies) {
      say(kMessage, fmt::format("transaction {}: {}", txn.number, fate(txn)));
    }
  }
  if (state.tls && totals.transactions > 0) {
    say(kNotEvaluated, "from STARTTLS on the session is encrypted and was not evaluated");
  }
  if (state.holes > 0) {
    say(kNotEvaluated, "octets are missing from the trace; what depends on them is not evaluated");
  }
  for (const RuleEngine::Told& one : findings.told()) {
    if (one.severity < Severity::kWarning) continue;
    say(kFinding, fmt::format("{} ({}): {} [{}]", to_string(one.severity), whose(one.fault),
                              one.text, one.rule->id));
  }
  if (findings.annotations() > 0 && !findings.accuses(Fault::kServer) && totals.transactions > 0 &&
      state.connected) {
    say(kNoFault, "server side: no fault found");
  }
  constexpr Duration kWorthTelling = std::chrono::seconds(1);
  if (totals.idle_client >= kWorthTelling || totals.idle_server >= kWorthTelling) {
    say(kWaiting,
        fmt::format("waiting: {} for the client side, {} for the server side",
                    duration_text(totals.idle_client), duration_text(totals.idle_server)));
  }
  return lines;
}

}  // namespace smtpscope
