#include "timeline/rule_engine.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

#include "timeline/arrival_times.h"
#include "timeline/precedence.h"

namespace smtpscope {
namespace {

/// Per trigger, the rules to ask; made once, so that asking costs a walk over an array.
const std::vector<const Rule*>& rules_for(RuleTrigger trigger) {
  static const auto kTable = [] {
    std::array<std::vector<const Rule*>, kRuleTriggers> table;
    for (const Rule* rule : all_rules()) {
      for (std::size_t bit = 0; bit < kRuleTriggers; ++bit) {
        if ((rule->triggers >> bit & 1) != 0) table[bit].push_back(rule);
      }
    }
    return table;
  }();
  return kTable[static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(trigger)))];
}

/// What is remembered of an annotation, and what folding looks at.
struct Record {
  std::uint64_t number = 0;  // 0: not emitted yet
  const Rule* rule = nullptr;
  std::string_view variant = "";
  std::uint64_t transaction = 0;
  std::uint64_t place = 0;
  Severity severity = Severity::kInfo;
  bool folded = false;
};

bool in_reach(FoldScope scope, const Record& headline, const Record& folded,
              RuleEngine::Between between) {
  switch (scope) {
    case FoldScope::kSamePlace:
      return headline.place == folded.place;
    case FoldScope::kSameTransaction:
      return headline.transaction != 0 && headline.transaction == folded.transaction;
    case FoldScope::kBetweenTransactions:
      return folded.place >= between.begin && folded.place <= between.end;
    case FoldScope::kSameSession:
      return true;
  }
  return false;
}

bool applies(const Precedence& row, const Record& headline, const Record& folded) {
  return row.headline == headline.rule->id && row.folded == folded.rule->id &&
         (row.variant.empty() || row.variant == folded.variant);
}

/// `headline` folds `folded`.
bool folds(const Record& headline, const Record& folded, RuleEngine::Between between) {
  return std::ranges::any_of(all_precedences(), [&](const Precedence& row) {
    return applies(row, headline, folded) && in_reach(row.scope, headline, folded, between);
  });
}

}  // namespace

struct RuleEngine::Memory {
  struct Fired {
    Record record;
    Finding finding;
  };

  std::vector<Fired> fired;    // in this moment
  std::vector<Record> recent;  // a ring once it is full
  std::size_t oldest = 0;
  std::uint64_t emitted = 0;
  std::array<std::uint64_t, 4> standing{};  // emitted and not folded, by Severity
  std::vector<Told> told;
};

RuleEngine::RuleEngine(SessionId session, TimelineSink& sink) : session_(session), sink_(sink) {}
RuleEngine::~RuleEngine() = default;

RuleEngine::Memory& RuleEngine::memory() {
  if (memory_ == nullptr) memory_ = std::make_unique<Memory>();
  return *memory_;
}

void RuleEngine::ask(RuleTrigger trigger, RuleContext& context) {
  for (const Rule* rule : rules_for(trigger)) {
    current_ = rule;
    rule->evaluate(context);
  }
}

void RuleEngine::add(Finding finding, std::uint64_t place) {
  const Record record{.number = 0,
                      .rule = current_,
                      .variant = finding.variant,
                      .transaction = finding.transaction,
                      .place = place,
                      .severity = finding.severity,
                      .folded = !finding.folded_under.empty()};
  memory().fired.push_back({record, std::move(finding)});
}

bool RuleEngine::has_findings() const { return memory_ != nullptr && !memory_->fired.empty(); }

void RuleEngine::settle(Time now, Between between) {
  if (!has_findings()) return;
  std::vector<Memory::Fired>& fired = memory_->fired;

  for (Memory::Fired& one : fired) {
    if (one.record.folded) continue;
    const auto headline_of = [&](const Record& other) {
      return &other != &one.record && folds(other, one.record, between);
    };
    for (const Memory::Fired& other : fired) {
      if (headline_of(other.record)) one.finding.folded_under = other.record.rule->id;
    }
    for (const Record& earlier : memory_->recent) {
      if (headline_of(earlier)) one.finding.folded_under = earlier.rule->id;
    }
    one.record.folded = !one.finding.folded_under.empty();
  }

  // Headlines first, so that what is folded stands under something.
  std::stable_partition(fired.begin(), fired.end(),
                        [](const Memory::Fired& one) { return !one.record.folded; });
  for (Memory::Fired& one : fired) {
    Finding& finding = one.finding;
    emit({.number = 0,
          .rule = one.record.rule,
          .variant = finding.variant,
          .severity = finding.severity,
          .fault = finding.fault,
          .time = finding.time,
          .text = std::move(finding.text),
          .entries = std::move(finding.entries),
          .transaction = finding.transaction,
          .attributes = std::move(finding.attributes),
          .folded_under = finding.folded_under},
         one.record.place, now);
    fold_earlier(*one.record.rule, one.record.place, one.record.transaction, between, now);
  }
  fired.clear();
}

void RuleEngine::emit(Annotation annotation, std::uint64_t place, Time now) {
  annotation.number = ++memory_->emitted;
  const Record record{.number = annotation.number,
                      .rule = annotation.rule,
                      .variant = annotation.variant,
                      .transaction = annotation.transaction,
                      .place = place,
                      .severity = annotation.severity,
                      .folded = !annotation.folded_under.empty()};
  if (memory_->recent.size() < kRemembered) {
    memory_->recent.push_back(record);
  } else {
    memory_->recent[memory_->oldest] = record;
    memory_->oldest = (memory_->oldest + 1) % kRemembered;
  }
  if (!record.folded) {
    ++memory_->standing[static_cast<std::size_t>(record.severity)];
    tell(annotation);
  }
  sink_.on_timeline({.session = session_, .time = now, .body = std::move(annotation)});
}

void RuleEngine::tell(const Annotation& annotation) {
  std::vector<Told>& told = memory_->told;
  const auto lesser = std::ranges::find_if(
      told, [&](const Told& other) { return other.severity < annotation.severity; });
  if (lesser == told.end() && told.size() == kToldFindings) return;
  told.insert(lesser, {.number = annotation.number,
                       .rule = annotation.rule,
                       .severity = annotation.severity,
                       .fault = annotation.fault,
                       .text = annotation.text});
  if (told.size() > kToldFindings) told.pop_back();
}

void RuleEngine::fold_earlier(const Rule& headline, std::uint64_t place, std::uint64_t transaction,
                              Between between, Time now) {
  const Record above{.rule = &headline, .transaction = transaction, .place = place};
  for (Record& earlier : memory_->recent) {
    if (earlier.folded || !folds(above, earlier, between)) continue;
    // A rule may fold another variant of itself, never the annotation just made.
    if (earlier.number == memory_->emitted) continue;
    earlier.folded = true;
    --memory_->standing[static_cast<std::size_t>(earlier.severity)];
    std::erase_if(memory_->told, [&](const Told& one) { return one.number == earlier.number; });
    sink_.on_timeline({.session = session_,
                       .time = now,
                       .body = AnnotationFolded{.number = earlier.number, .under = headline.id}});
  }
}

std::uint64_t RuleEngine::annotations() const {
  if (memory_ == nullptr) return 0;
  std::uint64_t sum = 0;
  for (const std::uint64_t n : memory_->standing) sum += n;
  return sum;
}

std::uint64_t RuleEngine::annotations(Severity severity) const {
  return memory_ == nullptr ? 0 : memory_->standing[static_cast<std::size_t>(severity)];
}

std::optional<Severity> RuleEngine::worst() const {
  for (const Severity severity :
       {Severity::kError, Severity::kWarning, Severity::kNotice, Severity::kInfo}) {
    if (annotations(severity) > 0) return severity;
  }
  return std::nullopt;
}

std::span<const RuleEngine::Told> RuleEngine::told() const {
  if (memory_ == nullptr) return {};
  return memory_->told;
}

}  // namespace smtpscope
