#include "timeline/rule_context.h"

#include <algorithm>

#include "timeline/arrival_times.h"
#include "timeline/rule_engine.h"

namespace smtpscope {

const Command* RuleContext::command() const {
  return entry() == nullptr ? nullptr : std::get_if<Command>(&entry()->item->body);
}

const Reply* RuleContext::reply() const {
  return entry() == nullptr ? nullptr : std::get_if<Reply>(&entry()->item->body);
}

bool RuleContext::answers(Verb verb) const {
  const PendingExchange* exchange = answered();
  return exchange != nullptr && exchange->kind == Answers::kCommand && exchange->verb == verb;
}

Time RuleContext::arrived(Side side, std::uint64_t end) const {
  return arrivals_.time_of(side, end, now());
}

Finding RuleContext::finding() const {
  Finding finding;
  finding.severity = engine_.current().severity;
  finding.fault = engine_.current().fault;
  finding.time = now();
  if (moment_.silence != nullptr) finding.time = moment_.silence->from;
  if (entry() != nullptr) {
    finding.time = entry()->first;
    finding.entries.push_back(entry()->number);
  }
  if (moment_.transaction != nullptr) finding.transaction = moment_.transaction->number;
  return finding;
}

void RuleContext::fire(Finding finding) {
  std::erase(finding.entries, 0);
  std::sort(finding.entries.begin(), finding.entries.end());
  const auto end = std::unique(finding.entries.begin(), finding.entries.end());
  finding.entries.erase(end, finding.entries.end());
  const std::uint64_t place = entry() != nullptr ? entry()->number : session_.entries + 1;
  engine_.add(engine_.current(), std::move(finding), place,
              silence() != nullptr ? session_.silences : 0);
}

}  // namespace smtpscope
