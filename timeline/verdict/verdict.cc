#include "timeline/verdict/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/counted.h"
#include "timeline/causes/case.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/duration_text.h"
#include "timeline/rule.h"
#include "timeline/unmet_needs.h"
#include "timeline/verdict/fate_words.h"

namespace smtpscope {
namespace {

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

/// A cause that applies, with what it says.
struct Weighed {
  const Cause* cause = nullptr;
  Explanation why;
};

/// The causes that apply, the heaviest first; of those that weigh the same, the first of the list.
std::vector<Weighed> weigh_all(const Case& the_case) {
  std::vector<Weighed> found;
  for (const Cause* cause : all_causes()) {
    Explanation why;
    why.side = cause->side;
    cause->weigh(the_case, why);
    if (why.weight > kNothing) found.push_back({cause, std::move(why)});
  }
  std::ranges::stable_sort(
      found, [](const Weighed& a, const Weighed& b) { return a.why.weight > b.why.weight; });
  return found;
}

std::string at_stage(const RefusedReply& refusal) {
  switch (refusal.stage) {
    case ReplyStage::kConnect:
      return "in its greeting";
    case ReplyStage::kEndOfData:
      return "after the end of the message";
    case ReplyStage::kUnknown:
      return "";
    default:
      return fmt::format("to {}", refused_command(refusal));
  }
}

/// The server's words, whole, on one line.
std::string quoted(const RefusedReply& refusal) {
  std::string words =
      fmt::format("\"{}{}{} {}\"", refusal.code, refusal.enhanced.empty() ? "" : " ",
                  refusal.enhanced, refusal.text);
  std::ranges::replace(words, '\n', ' ');
  if (words.size() > 2 && words[words.size() - 2] == ' ') words.erase(words.size() - 2, 1);
  return words;
}

/// Writes a verdict line by line.
class Judgement {
 public:
  Judgement(const SessionState& state, const SessionTotals& totals,
            std::span<const TransactionTally> tallies, const Capabilities& offered,
            const RuleEngine& findings, const RuleSet& rules)
      : state_(state),
        totals_(totals),
        tallies_(tallies),
        findings_(findings),
        case_(state, totals, tallies, offered, findings, rules) {}

  std::vector<VerdictLine> write() {
    std::vector<Weighed> weighed;
    if (needs_explaining()) weighed = weigh_all(case_);
    // Causes know nothing of what a scenario did.
    if (state_.scenario != nullptr) std::erase_if(weighed, may_be_the_scenarios);
    if (weighed.empty()) {
      without_cause();
    } else {
      with_cause(weighed);
    }
    altered();
    tls();
    no_fault(weighed.empty() ? Fault::kUnknown : weighed.front().why.side);
    not_evaluated();
    waiting();
    return std::move(lines_);
  }

 private:
  using enum VerdictKind;

  /// Whether it may be the scenario's doing in a session that one has changed. Silences, ends and
  /// oddities may; that no server could be reached may not, nor a refusal that the server said
  /// itself, unless it rebukes the client for what the scenario led it to.
  static bool may_be_the_scenarios(const Weighed& one) {
    constexpr std::array<std::string_view, 3> kUnreached = {
        "server-name-unknown", "server-not-listening", "server-unreachable"};
    if (std::ranges::find(kUnreached, one.cause->id) != kUnreached.end()) return false;
    if (!one.why.reason || !one.why.explains_refusal) return true;
    constexpr std::array<ReplyReason, 5> kRebukes = {
        ReplyReason::kProtocolError, ReplyReason::kUnsupportedCommand, ReplyReason::kAuthRequired,
        ReplyReason::kTlsRequired, ReplyReason::kAuthMechanism};
    return std::ranges::find(kRebukes, *one.why.reason) != kRebukes.end();
  }

  /// What a scenario did is no side's fault.
  void altered() {
    if (state_.scenario == nullptr) return;
    std::string lines;
    for (const std::string& line : state_.scenario->lines) {
      lines += fmt::format("{}{}", lines.empty() ? "" : "; ", line);
    }
    say(kAltered, fmt::format("altered: a scenario changed this session ({}{})", lines,
                              state_.scenario->more ? "; and more" : ""));
  }

  /// What is listed of checks; `smtpscope explain` has them all.
  static constexpr std::size_t kChecks = 3;
  static constexpr std::size_t kAlternatives = 2;
  /// An alternative weighs at least as much as the lead but this.
  static constexpr int kNearlyAsMuch = 15;

  void say(VerdictKind kind, std::string text) {
    VerdictLine& line = lines_.emplace_back();
    line.kind = kind;
    line.text = std::move(text);
  }

  /// Most sessions have delivered their mail and have nothing to explain.
  bool needs_explaining() const {
    if (!case_.all_delivered() || state_.unfinished || state_.refusals != nullptr) return true;
    if (state_.longest_silence.length() >= std::chrono::seconds(3)) return true;
    return !findings_.told().empty();
  }

  /// What became of the mail, up to where the reason follows.
  std::string beginning(const Explanation& why) const {
    if (accepted_without_envelope(case_)) return "no envelope: ";
    if (totals_.transactions == 0) return state_.unfinished ? "no message yet: " : "no message: ";
    if (totals_.transactions > 1) {
      return fmt::format("{}; ", by_outcome(totals_));
    }
    const TransactionTally& message = tallies_.front();
    const bool well = message.outcome == Outcome::kAccepted || message.outcome == Outcome::kOpen;
    const bool partly = message.outcome == Outcome::kPartial;
    return fmt::format("message {} {}{}", message.number, fate_in_short(message),
                       well                             ? "; "
                       : partly && why.explains_refusal ? ", the others refused: "
                                                        : ": ");
  }

  void with_cause(const std::vector<Weighed>& weighed) {
    const Weighed& lead = weighed.front();
    const RefusedReply* refusal = refusal_of(lead.why);
    const std::string_view sure =
        lead.why.certainty == Certainty::kPossible                     ? "possible, not proven: "
        : lead.why.certainty == Certainty::kLikely && !lead.why.reason ? "likely: "
                                                                       : "";
    VerdictLine line{.kind = kLead,
                     .text = fmt::format("{}{}{}", beginning(lead.why), sure, lead.why.headline)};
    if (refusal != nullptr && refusal->judged.temporary && waits(lead)) {
      line.text += "; a client with a queue tries again later";
    }
    line.cause = lead.cause->id;
    line.side = lead.why.side;
    line.certainty = lead.why.certainty;
    if (lead.why.reason) line.reason = to_string(*lead.why.reason);
    lines_.push_back(std::move(line));

    if (state_.unfinished && lead.cause->id != "unfinished") {
      say(kProof, fmt::format("so far: {}", where_the_trace_ends(case_)));
    }
    messages(true);
    if (refusal != nullptr) prove(lead.why, *refusal);
    other_refusals(refusal);
    covered(lead.why);
    alternatives(weighed);
    const CausePage& page = page_of(*lead.cause);
    const bool by_reason = lead.cause->id == "server-refused" && lead.why.reason;
    checks(by_reason ? case_.reasons().words(*lead.why.reason).checks : page.checks);
    std::vector<std::string> excluded = lead.why.not_it;
    if (excluded.empty()) excluded = page.not_it;
    ruled_out(excluded);
    const auto told = findings_.told();
    for (const Told& one : told) {
      if (one.severity >= Severity::kWarning && !covers(lead.why, one)) tell(one);
    }
  }

  /// Greylisting and the like say themselves that it will be tried again.
  static bool waits(const Weighed& lead) {
    return lead.cause->id == "server-refused" && lead.why.reason != ReplyReason::kUnknown;
  }

  const RefusedReply* refusal_of(const Explanation& why) const {
    if (!why.reason || state_.refusals == nullptr) return nullptr;
    for (const std::uint64_t entry : why.entries) {
      if (const RefusedReply* one = state_.refusals->of_entry(entry)) return one;
    }
    return case_.refusal();
  }

  /// Who the reason says, unless the cause, which knows more, sees the fault on one side.
  WhoActs who_acts(const Explanation& lead, const RefusedReply& refusal) const {
    const WhoActs who = case_.reasons().words(refusal.judged.reason).who;
    const bool an_admin = who == WhoActs::kClientAdmin || who == WhoActs::kServerAdmin;
    if (!an_admin) return who;
    if (lead.side == Fault::kClient) return WhoActs::kClientAdmin;
    if (lead.side == Fault::kServer || lead.side == Fault::kProxy) return WhoActs::kServerAdmin;
    return who;
  }

  void prove(const Explanation& lead, const RefusedReply& refusal) {
    std::string text = at_stage(refusal);
    std::vector<std::string> how;
    if (refusal.entry != 0 && (state_.fidelity.unknown & kUnknownTimes) == 0) {
      how.push_back("after " +
                    duration_text(refusal.at - state_.opened, state_.fidelity.resolution));
    }
    if (refusal.entry != 0 && refusal.times > 1) {
      how.push_back(fmt::format("{} times", refusal.times));
    }
    if (!how.empty()) text += fmt::format("{}({})", text.empty() ? "" : " ", fmt::join(how, ", "));
    if (!refusal.recipients.empty()) {
      text += fmt::format("{}for {}", text.empty() ? "" : " ", refusal.recipients);
    }
    text = "the server said " + text + (text.empty() ? "" : ": ");
    say(kProof, text + quoted(refusal));
    if (refusal.judged.codes_say) {
      say(kProof, fmt::format("its code {} stands for {}; the words count", refusal.enhanced,
                              to_string(*refusal.judged.codes_say)));
    }
    // Who looks after what is in between, nobody here knows.
    if (lead.side == Fault::kNetwork) return;
    say(kProof, fmt::format("who can end it: {}", in_words(who_acts(lead, refusal))));
  }

  /// What was refused for other reasons, which the lead does not say.
  void other_refusals(const RefusedReply* lead) {
    if (state_.refusals == nullptr || case_.all_delivered()) return;
    std::string text;
    for (const RefusedReply& one : state_.refusals->kept) {
      if (&one == lead || one.stage < ReplyStage::kMail) continue;
      const bool of_some = !one.recipients.empty();
      if (lead != nullptr && one.judged.reason == lead->judged.reason && !of_some) continue;
      if (lead != nullptr && one.judged.reason == ReplyReason::kProtocolError) continue;
      const std::string what = of_some ? one.recipients + ':'
                                       : std::string(case_.reasons().words(one.judged.reason).says);
      text += fmt::format("{}{} {}", text.empty() ? "also refused: " : ", ", what, quoted(one));
    }
    if (!text.empty()) say(kProof, std::move(text));
  }

  bool covers(const Explanation& why, const Told& one) const {
    if (std::ranges::find(why.covers, one.rule) != why.covers.end()) return true;
    // What a refusal is about, its reason says.
    if (one.rule->id == "ehlo-rejected" && why.explains_refusal) {
      const RefusedReply* refusal = refusal_of(why);
      return refusal != nullptr && refusal->stage == ReplyStage::kEhlo;
    }
    return why.explains_refusal && one.rule->triggers != kOnSessionEnd &&
           is_about_refusal(*one.rule);
  }

  static bool is_about_refusal(const Rule& rule) {
    constexpr std::array<std::string_view, 10> kAbout = {
        "all-rcpt-rejected", "partial-rcpt-accept", "greylist-tempfail", "rejected-after-data",
        "auth-failed",       "auth-required",       "greeting-refused",  "too-many-errors",
        "txn-aborted-421",   "unsolicited-421"};
    return std::ranges::find(kAbout, rule.id) != kAbout.end();
  }

  /// The findings that prove it, by name: the timeline has their words.
  void covered(const Explanation& why) {
    std::string names;
    for (const Told& one : findings_.told()) {
      if (one.severity < Severity::kNotice || !covers(why, one)) continue;
      if (names.find(one.rule->id) != std::string::npos) continue;
      names += fmt::format("{}{}", names.empty() ? "" : ", ", one.rule->id);
    }
    if (!names.empty()) say(kProof, fmt::format("findings: {}", names));
  }

  void alternatives(const std::vector<Weighed>& weighed) {
    const Weighed& lead = weighed.front();
    if (lead.why.certainty == Certainty::kSeen) return;
    std::size_t told = 0;
    for (std::size_t i = 1; i < weighed.size() && told < kAlternatives; ++i) {
      const Weighed& other = weighed[i];
      if (other.why.weight + kNearlyAsMuch < lead.why.weight) break;
      VerdictLine line{.kind = kAlternative, .text = fmt::format("or: {}", other.why.headline)};
      line.cause = other.cause->id;
      line.side = other.why.side;
      line.certainty = other.why.certainty;
      lines_.push_back(std::move(line));
      ++told;
    }
  }

  void checks(std::span<const std::string> list) {
    for (std::size_t i = 0; i < std::min(list.size(), kChecks); ++i) {
      say(kCheck, i == 0 ? fmt::format("check next: {}) {}", i + 1, list[i])
                         : fmt::format("{}) {}", i + 1, list[i]));
    }
  }

  void ruled_out(std::span<const std::string> list) {
    std::string excluded;
    for (const std::string& each : list) {
      std::string words = each;
      if (words.ends_with('.')) words.pop_back();
      // A sentence of a page goes on here; a name in capitals stays one.
      if (words.size() > 1 && words[1] == lower(words[1])) words[0] = lower(words[0]);
      excluded += excluded.empty() ? "not the cause: " : "; ";
      excluded += words;
    }
    if (!excluded.empty()) say(kRuledOut, std::move(excluded));
  }

  /// `behind_lead`: the first line has told the fate of an only message, in short.
  void messages(bool behind_lead) {
    if (totals_.transactions == 0 || totals_.transactions > kTalliedTransactions) return;
    if (!behind_lead && totals_.transactions == 1) return;
    for (const TransactionTally& txn : tallies_) {
      if (behind_lead && totals_.transactions == 1 && txn.outcome == Outcome::kRejected) continue;
      // Of several that went well the first line has told, and the timeline.
      const bool plain = txn.outcome == Outcome::kAccepted && !txn.undelivered;
      if (behind_lead && totals_.transactions > 1 && plain) continue;
      if (behind_lead && txn.outcome == Outcome::kOpen) continue;
      say(kMessage, fmt::format("message {} {}", txn.number, fate(txn)));
    }
  }

  /// Nothing is explained: what became of the mail, and what was found.
  void without_cause() {
    const Told* lead = lead_of(findings_.told());
    if (totals_.transactions == 0) {
      say(kLead, without_message(state_));
    } else if (totals_.transactions == 1 && !tallies_.empty()) {
      say(kLead, fmt::format("message {} {}", tallies_.front().number, fate(tallies_.front())));
    } else {
      say(kLead, by_outcome(totals_));
      messages(false);
    }
    if (lead == nullptr) return;
    tell(*lead);
    ruled_out(lead->ruled_out);
    for (const Told& one : findings_.told()) {
      if (&one != lead && one.severity >= Severity::kWarning) tell(one);
    }
    say(kCheck, fmt::format("check next: smtpscope explain {}", lead->rule->id));
  }

  void tell(const Told& one) {
    const std::string_view side = whose(one.fault);
    say(kFinding,
        fmt::format("{} ({}{}{}): {} [{}]", to_string(one.severity), side, side.empty() ? "" : ", ",
                    how_sure(one.certainty), one.text, one.rule->id));
  }

  void no_fault(Fault side) {
    const std::optional<Severity> worst = findings_.worst();
    if (!worst || *worst < Severity::kNotice || !state_.connected) return;
    if (totals_.transactions == 0 || findings_.accuses(Fault::kServer)) return;
    if (side == Fault::kServer || state_.refusals != nullptr || server_distrusted()) return;
    const RsetRun* run = state_.rset_run.get();
    // RFC 5321 4.1.1.5.
    say(kNoFault, run != nullptr && run->all_accepted
                      ? "server side: no fault found (it answered RSET with 250, as it must)"
                      : "server side: no fault found");
  }

  /// Its certificate is one that a client would not accept.
  bool server_distrusted() const {
    const TlsEnds* ends = state_.tls_ends.get();
    const TlsFacts* server = ends == nullptr ? nullptr : ends->facts(Side::kServer);
    return server != nullptr && !server->verification.empty() && server->verification != "ok";
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
    if (server != nullptr && server->completed && server->verification == kNoNameVerified) {
      say(kNotEvaluated,
          "not verified: whose certificate the server showed. It is signed by a trusted CA, but "
          "neither --upstream nor the client named a server to expect");
    } else if (server != nullptr && server->completed &&
               server->verification != kCertificateVerified && !server->verification.empty()) {
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
                                     counted(unmet_rules, "rule")));
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
  std::span<const TransactionTally> tallies_;
  const RuleEngine& findings_;
  const Case case_;
  std::vector<VerdictLine> lines_;
};

}  // namespace

std::string_view to_string(VerdictKind kind) {
  constexpr std::array<std::string_view, 12> kNames = {
      "lead",  "message",   "proof",    "finding",       "likely",  "alternative",
      "check", "ruled-out", "no-fault", "not-evaluated", "waiting", "altered"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<VerdictLine> verdict(const SessionState& state, const SessionTotals& totals,
                                 std::span<const TransactionTally> tallies,
                                 const Capabilities& offered, const RuleEngine& findings,
                                 const RuleSet& rules) {
  return Judgement(state, totals, tallies, offered, findings, rules).write();
}

}  // namespace smtpscope
