#include "timeline/rule_context.h"

#include "timeline/duration_text.h"
#include "timeline/rule_engine.h"
#include "timeline/state/arrival_times.h"

namespace smtpscope {

bool RuleContext::answers(Verb verb) const {
  const PendingExchange* exchange = answered();
  return exchange != nullptr && exchange->kind == Answers::kCommand && exchange->verb == verb;
}

Time RuleContext::arrived(Side side, std::uint64_t end) const {
  return sources_.arrivals.time_of(side, end, now());
}

std::string RuleContext::measured(Duration duration) const {
  const Fidelity& fidelity = session().fidelity;
  if ((fidelity.unknown & kUnknownTimes) != 0) return "an unknown time";
  return duration_text(duration, fidelity.resolution);
}

Finding RuleContext::finding() const {
  Finding finding;
  finding.severity = engine_.current().severity;
  finding.fault = engine_.current().fault;
  finding.certainty = engine_.current().certainty;
  finding.time = now();
  if (moment_.silence != nullptr) finding.time = moment_.silence->from;
  if (entry() != nullptr) {
    finding.time = entry()->first;
    finding.entries.push_back(entry()->number);
  }
  if (moment_.transaction != nullptr) finding.transaction = moment_.transaction->number;
  return finding;
}

std::uint32_t RuleContext::fired(const Rule& rule) const { return engine_.fired(rule); }

std::uint32_t RuleContext::fired(const Rule& rule, std::string_view variant) const {
  return engine_.fired(rule, variant);
}

SessionId RuleContext::session_number() const { return engine_.session(); }

void RuleContext::fire(Finding&& finding) {
  std::uint64_t place = finding.place;
  if (place == 0) place = entry() != nullptr ? entry()->number : session().entries + 1;
  std::uint64_t number = finding.silence;
  if (number == 0 && silence() != nullptr) number = session().silences;
  engine_.add(engine_.current(), std::move(finding), place, number);
}

void RuleContext::fire_when_answered(Finding finding) {
  const Command* sent = command();
  if (sent == nullptr || sent->exchange == kNoExchange) {
    fire(std::move(finding));
    return;
  }
  engine_.defer(engine_.current(), std::move(finding), entry()->number, sent->exchange);
}

void RuleContext::not_evaluated(std::string_view why) {
  engine_.not_evaluated(engine_.current(), why);
}

}  // namespace smtpscope
