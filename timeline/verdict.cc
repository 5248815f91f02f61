#include "timeline/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/evidence.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

/// Of a server's words, what fits into a sentence.
constexpr std::size_t kRefusalQuoted = 100;

std::string count_of(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
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

/// "550 5.1.1 no such user", or what is known of it.
std::string refusal_of(const TransactionTally& txn) {
  const std::uint16_t code = txn.final_code / 100 > 3 ? txn.final_code : txn.refusal_code;
  if (txn.refusal_text.empty()) return fmt::format("\"{}\"", code);
  return fmt::format("\"{} {}\"", code, txn.refusal_text);
}

std::string refused(const TransactionTally& txn) {
  const std::uint16_t code = txn.final_code / 100 > 3 ? txn.final_code : txn.refusal_code;
  // RFC 5321 4.2.1: 4yz asks to try again, 5yz not to.
  return fmt::format("refused: the server said {}. Nothing was delivered{}", refusal_of(txn),
                     code / 100 == 4 ? "; a client that keeps mail tries again later, another one "
                                       "has lost it"
                                     : "");
}

std::string never_sent(const TransactionTally& txn) {
  const std::string_view why = by_whom(txn.aborted_by);
  if (txn.data_began) {
    return fmt::format("broken off in the middle: {}. Nothing of it must be delivered", why);
  }
  if (txn.rcpt_accepted > 0) {
    return fmt::format(
        "never sent: the server had agreed to take it for {}, then {}. Nothing was delivered",
        count_of(txn.rcpt_accepted, "recipient"), why);
  }
  return fmt::format("never sent: {} before any recipient was accepted. Nothing was delivered",
                     why);
}

std::string size_of(const TransactionTally& txn) {
  return txn.unseen && txn.octets == 0 ? "of unknown size" : count_of(txn.octets, "octet");
}

std::string fate(const TransactionTally& txn) {
  switch (txn.outcome) {
    case Outcome::kAccepted:
      return fmt::format("delivered: the server took it for {} ({}){}",
                         count_of(txn.rcpt_accepted, "recipient"), size_of(txn),
                         txn.undelivered
                             ? ", but the client side was gone and does not know. It will probably "
                               "send it again, and the recipients get it twice"
                             : "");
    case Outcome::kPartial: {
      std::string text = fmt::format("delivered in part: the server took it for {} of {}",
                                     txn.delivered, count_of(txn.rcpt_sent, "recipient"));
      if (txn.refusal_code != 0) text += fmt::format("; it said {}", refusal_of(txn));
      return text;
    }
    case Outcome::kRejected:
      return refused(txn);
    case Outcome::kAborted:
      return never_sent(txn);
    case Outcome::kUnknown:
      if (!txn.data_sent) return "fate unknown: its end is not in the trace";
      return fmt::format(
          "fate unknown: it was sent, but no final reply was seen ({}). It may have been delivered "
          "or "
          "not",
          why_unknown(txn.aborted_by));
    case Outcome::kOpen:
      break;
  }
  return "still under way";
}

std::string by_outcome(const SessionTotals& totals) {
  constexpr std::array<std::pair<Outcome, std::string_view>, 5> kWords = {{
      {Outcome::kAccepted, "delivered"},
      {Outcome::kPartial, "delivered in part"},
      {Outcome::kRejected, "refused"},
      {Outcome::kAborted, "never sent"},
      {Outcome::kUnknown, "unknown"},
  }};
  std::string text;
  for (const auto& [outcome, words] : kWords) {
    const std::uint64_t count = totals.outcomes[static_cast<std::size_t>(outcome)];
    if (count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, words);
  }
  return fmt::format("{} messages: {}", totals.transactions, text);
}

std::string without_transaction(const SessionState& state) {
  if (state.connect_failed) return "no message: the server could not be reached";
  if (state.tls_hides())
    return "no message was seen before TLS began; what came inside TLS is not visible";
  if (state.greeting == SessionState::Greeting::kPending && !state.mid_session) {
    return "no message: the server never greeted";
  }
  if (state.greeting == SessionState::Greeting::kRefused) {
    return "no message: the server refused the session in its greeting";
  }
  return "no message was begun";
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
  return "";
}

std::string_view how_sure(Certainty certainty) {
  switch (certainty) {
    case Certainty::kSeen:
      return "seen on the wire";
    case Certainty::kLikely:
      return "likely";
    case Certainty::kPossible:
      break;
  }
  return "possible, not proven";
}

std::vector<std::string_view> entries_of(std::string_view list) {
  std::vector<std::string_view> entries;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('\n'), list.size());
    if (end > 0) entries.push_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return entries;
}

using Told = RuleEngine::Told;

/// The finding that explains most: of the gravest, one that draws its conclusion from all the
/// others when the session is over; else the first.
const Told* lead_of(std::span<const Told> told) {
  if (told.empty() || told.front().severity < Severity::kNotice) return nullptr;
  for (const Told& one : told) {
    if (one.severity < told.front().severity) break;
    if (one.rule->triggers == kOnSessionEnd && one.certainty != Certainty::kSeen) return &one;
  }
  return &told.front();
}

/// Writes a verdict line by line.
class Judgement {
 public:
  Judgement(const SessionState& state, const SessionTotals& totals, const RuleEngine& findings)
      : state_(state), totals_(totals), findings_(findings) {}

  std::vector<VerdictLine> write(std::span<const TransactionTally> tallies) {
    messages(tallies);
    if (const Told* lead = lead_of(findings_.told())) {
      tell(*lead);
      explain(*lead);
      for (const Told& one : findings_.told()) {
        if (&one != lead && one.severity >= Severity::kWarning) tell(one);
      }
    }
    tls();
    no_fault();
    not_evaluated();
    waiting();
    return std::move(lines_);
  }

 private:
  using enum VerdictKind;

  /// What is listed of a rule's causes and advice; `smtpscope explain` has them all.
  static constexpr std::size_t kCauses = 2;
  static constexpr std::size_t kChecks = 4;

  void say(VerdictKind kind, std::string text) {
    lines_.push_back({.kind = kind, .text = std::move(text)});
  }

  void messages(std::span<const TransactionTally> tallies) {
    if (totals_.transactions == 0) {
      say(kMessage, without_transaction(state_));
    } else if (totals_.transactions > kTalliedTransactions) {
      say(kMessage, by_outcome(totals_));
    } else {
      for (const TransactionTally& txn : tallies) {
        say(kMessage, fmt::format("message {} {}", txn.number, fate(txn)));
      }
    }
  }

  void tell(const Told& one) {
    const std::string_view side = whose(one.fault);
    say(kFinding,
        fmt::format("{} ({}{}{}): {} [{}]", to_string(one.severity), side, side.empty() ? "" : ", ",
                    how_sure(one.certainty), one.text, one.rule->id));
  }

  void explain(const Told& lead) {
    const std::vector<std::string_view> causes = entries_of(lead.rule->causes);
    for (std::size_t i = 0; i < std::min(causes.size(), kCauses); ++i) {
      say(kLikely, fmt::format("{}: {}", i == 0 ? "likely" : "or", causes[i]));
    }
    const std::vector<std::string_view> checks = entries_of(lead.rule->advice);
    for (std::size_t i = 0; i < std::min(checks.size(), kChecks); ++i) {
      say(kCheck, i == 0 ? fmt::format("check next: {}) {}", i + 1, checks[i])
                         : fmt::format("{}) {}", i + 1, checks[i]));
    }
    std::string excluded;
    for (const std::string& each : lead.ruled_out) {
      excluded += excluded.empty() ? "not the cause: " : "; ";
      excluded += each;
    }
    if (!excluded.empty()) say(kRuledOut, std::move(excluded));
  }

  void no_fault() {
    const std::optional<Severity> worst = findings_.worst();
    if (!worst || *worst < Severity::kNotice || !state_.connected) return;
    if (totals_.transactions == 0 || findings_.accuses(Fault::kServer)) return;
    const RsetRun* run = state_.rset_run.get();
    // RFC 5321 4.1.1.5.
    say(kNoFault, run != nullptr && run->all_accepted
                      ? "server side: no fault found (it answered RSET with 250, as it must)"
                      : "server side: no fault found");
  }

  /// What the handshakes of smtpscope itself tell of a side.
  void tls() {
    const TlsEnds* ends = state_.tls_ends.get();
    if (ends == nullptr) return;
    const TlsFacts* client = ends->facts(Side::kClient);
    if (client != nullptr && client->completed && !state_.silent_in_tls()) {
      if (client->origin == TlsCertificateOrigin::kMadeForRun && !client->resumed) {
        say(kFinding,
            "client side: it does not verify certificates: it accepted one that was signed by a CA "
            "made for this run, which it cannot know. Whoever gets in between can read and change "
            "its mail, and its password");
      } else if (client->origin != TlsCertificateOrigin::kServer && !client->certificates.empty()) {
        say(kFinding,
            fmt::format("client side: it accepted the certificate {} signed by {}; whether because "
                        "it trusts that CA or because it verifies nothing, this does not tell",
                        client->certificates.front().subject, client->certificates.front().issuer));
      }
    }
    if (client != nullptr && !client->completed && client->failed_by == Side::kClient) {
      const bool goes_on = state_.mails_sent > 0;
      say(kFinding,
          fmt::format("client side: {} TLS: {}", goes_on ? "it goes on without" : "it gave up over",
                      client->failure));
    }
    const TlsFacts* server = ends->facts(Side::kServer);
    if (server != nullptr && server->completed && server->verification != "ok" &&
        !server->verification.empty()) {
      say(kFinding,
          fmt::format("server side: its certificate would not be accepted by a client that "
                      "verifies: {}",
                      server->verification));
    }
  }

  void not_evaluated() {
    if (state_.tls_hides() && totals_.transactions > 0) {
      say(kNotEvaluated, "not judged: what came inside TLS, which is encrypted");
    }
    if (state_.holes > 0) {
      say(kNotEvaluated, "not judged: what depends on octets that are missing from the trace");
    }
    // What this kind of trace never tells stands in the session's head; the rules that miss it are
    // too many to name here.
    const std::uint16_t unmet = unmet_needs(state_.fidelity);
    std::size_t unmet_rules = 0;
    std::vector<std::pair<std::string_view, std::string>> by_reason;
    for (const NotEvaluated& one : findings_.not_evaluated()) {
      // A second trace is always missing here; the list at the session's end has it.
      if ((one.rule->needs & kNeedsSecondTrace) != 0) continue;
      if ((one.rule->needs & unmet) != 0) {
        ++unmet_rules;
        continue;
      }
      auto at =
          std::ranges::find(by_reason, one.why, &std::pair<std::string_view, std::string>::first);
      if (at == by_reason.end()) at = by_reason.insert(at, {one.why, ""});
      if (!at->second.empty()) at->second += ", ";
      at->second += one.rule->id;
    }
    if (unmet_rules > 0) {
      say(kNotEvaluated, fmt::format("not judged: {} for which this trace knows too little",
                                     count_of(unmet_rules, "rule")));
    }
    for (const auto& [why, rules] : by_reason) {
      say(kNotEvaluated, fmt::format("not judged: {} ({})", rules, why));
    }
  }

  void waiting() {
    constexpr Duration kWorthTelling = std::chrono::seconds(1);
    if (totals_.idle_client < kWorthTelling && totals_.idle_server < kWorthTelling) return;
    const Duration resolution = state_.fidelity.resolution;
    say(kWaiting, fmt::format("waiting: {} for the client side, {} for the server side",
                              duration_text(totals_.idle_client, resolution),
                              duration_text(totals_.idle_server, resolution)));
  }

  const SessionState& state_;
  const SessionTotals& totals_;
  const RuleEngine& findings_;
  std::vector<VerdictLine> lines_;
};

}  // namespace

std::string_view to_string(VerdictKind kind) {
  constexpr std::array<std::string_view, 8> kNames = {
      "message", "finding", "likely", "check", "ruled-out", "no-fault", "not-evaluated", "waiting"};
  return kNames[static_cast<std::size_t>(kind)];
}

TransactionTally TransactionTally::of(const Transaction& transaction) {
  TransactionTally tally{.number = transaction.number,
                         .octets = transaction.facts.octets,
                         .unseen = transaction.facts.unseen,
                         .rcpt_sent = transaction.rcpt_sent,
                         .rcpt_accepted = transaction.rcpt_accepted,
                         .delivered = transaction.finals == 1 ? transaction.rcpt_accepted
                                                              : transaction.finals_accepted,
                         .refusal_text = transaction.final_code / 100 > 3
                                             ? transaction.final_text
                                             : transaction.refusal_text,
                         .final_code = transaction.final_code,
                         .refusal_code = transaction.refusal_code != 0 ? transaction.refusal_code
                                                                       : transaction.mail_code,
                         .outcome = transaction.outcome,
                         .aborted_by = transaction.aborted_by,
                         .data_began = transaction.wire_octets > 0,
                         .data_sent = transaction.data_sent,
                         .undelivered = transaction.final_undelivered};
  if (tally.refusal_text.size() > kRefusalQuoted) tally.refusal_text.resize(kRefusalQuoted);
  return tally;
}

std::vector<VerdictLine> verdict(const SessionState& state, const SessionTotals& totals,
                                 std::span<const TransactionTally> tallies,
                                 const RuleEngine& findings) {
  return Judgement(state, totals, findings).write(tallies);
}

}  // namespace smtpscope
