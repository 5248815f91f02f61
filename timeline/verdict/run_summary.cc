#include "timeline/verdict/run_summary.h"

#include <algorithm>
#include <numeric>

#include "timeline/rule_engine.h"
#include "timeline/state/refusal_notes.h"
#include "timeline/state/session_notes.h"

namespace smtpscope {

void RunSummary::on_timeline(const TimelineEvent& event) {
  if (event.session == kWholeRun) return;
  // Entries are most of what comes, and of them only refusals are summed up.
  if (const auto* entry = std::get_if<Entry>(&event.body)) {
    if (entry->refusal != nullptr) {
      ++refusals_[static_cast<std::size_t>(entry->refusal->judged.reason)];
    }
    return;
  }
  const auto [at, is_new] = open_.try_emplace(event.session);
  if (is_new) ++sessions_;
  Open& session = at->second;
  if (const auto* started = std::get_if<TimelineSessionStarted>(&event.body)) {
    session.client = host_of(started->client);
  } else if (std::holds_alternative<TimelineConnectFailed>(event.body)) {
    ++unreachable_;
  } else if (const auto* annotation = std::get_if<Annotation>(&event.body)) {
    if (annotation->folded_under.empty()) {
      if (session.findings == nullptr) session.findings = std::make_unique<Findings>();
      add(*session.findings, *annotation);
    }
  } else if (const auto* folded = std::get_if<AnnotationFolded>(&event.body)) {
    if (session.findings != nullptr) fold(*session.findings, folded->number);
  } else if (const auto* silence = std::get_if<Silence>(&event.body)) {
    add(event.session, *silence);
  } else if (const auto* ended = std::get_if<TimelineSessionEnded>(&event.body)) {
    end(session, *ended->totals);
    if (!ended->unfinished) open_.erase(at);
  }
}

void RunSummary::add(Findings& session, const Annotation& annotation) {
  const Rule* rule = annotation.rule;
  RuleCount& count = rules_[rule];
  count.rule = rule;
  ++count.findings_by[static_cast<std::size_t>(annotation.severity)];
  auto of_session =
      std::ranges::find(session.counts, rule, &std::pair<const Rule*, std::uint64_t>::first);
  if (of_session == session.counts.end()) {
    of_session = session.counts.insert(session.counts.end(), {rule, 0});
  }
  if (++of_session->second == 1) ++count.sessions;

  // Later headlines reach no further back than the engine remembers.
  if (session.recent.size() == RuleEngine::kRemembered)
    session.recent.erase(session.recent.begin());
  session.recent.push_back(
      {.number = annotation.number, .rule = rule, .severity = annotation.severity});
}

void RunSummary::fold(Findings& session, std::uint64_t number) {
  const auto at = std::ranges::find(session.recent, number, &Standing::number);
  if (at == session.recent.end()) return;
  RuleCount& count = rules_[at->rule];
  --count.findings_by[static_cast<std::size_t>(at->severity)];
  for (auto& [rule, findings] : session.counts) {
    if (rule == at->rule && --findings == 0) --count.sessions;
  }
  session.recent.erase(at);
}

void RunSummary::add(SessionId session, const Silence& silence) {
  if (silences_.size() == kSilences && silences_.back().length() >= silence.length()) return;
  LongSilence one{.session = session,
                  .from = silence.from,
                  .to = silence.to,
                  .silent = silence.silent,
                  .owed = std::string(silence.owed)};
  const auto shorter = std::ranges::find_if(
      silences_, [&](const LongSilence& other) { return other.length() < one.length(); });
  silences_.insert(shorter, std::move(one));
  if (silences_.size() > kSilences) silences_.pop_back();
}

void RunSummary::end(const Open& session, const SessionTotals& totals) {
  if (totals.worst) ++by_worst_[static_cast<std::size_t>(*totals.worst)];
  for (std::size_t i = 0; i < outcomes_.size(); ++i) outcomes_[i] += totals.outcomes[i];

  std::string_view name = session.client;
  if (clients_.size() >= kMaxClients && !clients_.contains(name)) name = kOtherClients;
  auto at = clients_.find(name);
  if (at == clients_.end()) at = clients_.emplace(std::string(name), ClientTotals{}).first;
  ClientTotals& client = at->second;
  ++client.sessions;
  client.octets += totals.octets[index(Side::kClient)];
  client.delivered += totals.outcomes[static_cast<std::size_t>(Outcome::kAccepted)] +
                      totals.outcomes[static_cast<std::size_t>(Outcome::kPartial)];
  client.transactions +=
      std::accumulate(totals.outcomes.begin(), totals.outcomes.end(), std::uint64_t{0});
  if (totals.worst) ++client.sessions_by_worst[static_cast<std::size_t>(*totals.worst)];
}

std::vector<std::pair<ReplyReason, std::uint64_t>> RunSummary::refusals() const {
  std::vector<std::pair<ReplyReason, std::uint64_t>> counts;
  for (std::size_t i = 0; i < refusals_.size(); ++i) {
    if (refusals_[i] > 0) counts.emplace_back(static_cast<ReplyReason>(i), refusals_[i]);
  }
  std::ranges::stable_sort(counts,
                           [](const auto& a, const auto& b) { return a.second > b.second; });
  return counts;
}

std::uint64_t RunSummary::transactions() const {
  return std::accumulate(outcomes_.begin(), outcomes_.end(), std::uint64_t{0});
}

std::uint64_t RunSummary::RuleCount::findings() const {
  return std::accumulate(findings_by.begin(), findings_by.end(), std::uint64_t{0});
}

Severity RunSummary::RuleCount::worst() const {
  for (std::size_t i = findings_by.size(); i-- > 0;) {
    if (findings_by[i] > 0) return static_cast<Severity>(i);
  }
  return Severity::kInfo;
}

std::uint64_t RunSummary::findings(Severity least) const {
  std::uint64_t sum = 0;
  for (const auto& [rule, count] : rules_) {
    for (std::size_t i = static_cast<std::size_t>(least); i < count.findings_by.size(); ++i) {
      sum += count.findings_by[i];
    }
  }
  return sum;
}

std::vector<RunSummary::RuleCount> RunSummary::rules() const {
  std::vector<RuleCount> counts;
  for (const auto& [rule, count] : rules_) {
    if (count.findings() > 0) counts.push_back(count);
  }
  std::ranges::sort(counts, [](const RuleCount& a, const RuleCount& b) {
    if (a.worst() != b.worst()) return a.worst() > b.worst();
    if (a.findings() != b.findings()) return a.findings() > b.findings();
    return a.rule->id < b.rule->id;
  });
  return counts;
}

}  // namespace smtpscope
