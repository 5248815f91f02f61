#include "diff/taps/taps_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "diff/taps/taps_words.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/interception_score.h"
#include "timeline/thresholds.h"

namespace smtpscope {
namespace {

/// The traces differ in what was said. That something came late, or that a mail server noted its
/// passing as it must (RFC 5321 4.4), is no divergence.
bool diverges(const TapsChange& change) {
  return change.kind != TapsChangeKind::kDelayed && !change.usual;
}

bool is_greeting_or_farewell(const TapsChange& change) {
  return change.kind == TapsChangeKind::kReplyRewritten &&
         (change.exchange == ExchangeKind::kGreeting || change.verb == Verb::kQuit);
}

bool is_starttls_answered(const TapsChange& change) {
  return change.verb == Verb::kStartTls && !change.answer.empty() &&
         change.kind == TapsChangeKind::kCommandDropped;
}

/// Points that the trace near the server gave by itself.
std::uint64_t points_of_one_trace(const TapsDialogue& dialogue) {
  std::uint64_t most = 0;
  for (const SessionRecord* session : dialogue.near_server) {
    for (const AnnotationRecord& each : session->annotations) {
      if (each.rule != &kInterceptionSuspected) continue;
      const auto score = std::ranges::find(each.attributes, "score", &Attribute::first);
      if (score == each.attributes.end()) continue;
      std::uint64_t points = 0;
      std::from_chars(score->second.data(), score->second.data() + score->second.size(), points);
      most = std::max(most, points);
    }
  }
  return most;
}

InterceptionScore score_of(const TapsDialogue& dialogue) {
  InterceptionScore score;
  const std::vector<TapsChange>& changes = dialogue.changes;
  score.add(InterceptionScore::kTracesDiffer, "what the two taps saw differs");
  if (std::ranges::any_of(changes, is_greeting_or_farewell)) {
    score.add(InterceptionScore::kGreetingDiffers,
              "the greeting or the reply to QUIT was changed in between");
  }
  if (std::ranges::any_of(changes, is_starttls_answered)) {
    score.add(InterceptionScore::kStartTlsAnswered,
              "STARTTLS was answered without the server being asked");
  }
  if (const std::uint64_t alone = points_of_one_trace(dialogue); alone > 0) {
    score.add(alone, "the trace near the server shows signs of it by itself");
  }
  return score;
}

}  // namespace

void raise_findings(const RuleSet& rules, TapsDialogue& dialogue) {
  std::vector<TapsChange> divergences;
  std::ranges::copy_if(dialogue.changes, std::back_inserter(divergences), diverges);
  if (divergences.empty()) return;
  const Certainty certainty = dialogue.has_hole ? Certainty::kPossible : Certainty::kSeen;
  if (rules.is_on(kTwoPointDivergence)) {
    dialogue.raised.push_back(
        {&kTwoPointDivergence,
         kTwoPointDivergence.severity,
         certainty,
         fmt::format("something between the two taps changes the dialogue: {}",
                     fmt::join(taps_clauses(divergences), "; ")),
         {{"changes", std::to_string(divergences.size())}}});
  }
  const InterceptionScore score = score_of(dialogue);
  const std::uint64_t wanted = rules.thresholds().count(Threshold::kInterceptionScore);
  if (!rules.is_on(kInterceptionSuspected) || score.points < wanted) return;
  dialogue.raised.push_back(
      {&kInterceptionSuspected,
       kInterceptionSuspected.severity,
       certainty,
       fmt::format("a program between the two taps speaks in the name of one side: score {} of {}: "
                   "{}",
                   score.points, wanted, score.evidence),
       {{"score", std::to_string(score.points)}, {"threshold", std::to_string(wanted)}}});
}

}  // namespace smtpscope
