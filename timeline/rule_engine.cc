#include "timeline/rule_engine.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

#include "timeline/arrival_times.h"

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

}  // namespace

struct RuleEngine::Memory {
  struct Fired {
    FoldSubject subject;
    Finding finding;

    bool folded() const { return !finding.folded_under.empty(); }
  };
  struct Emitted {
    FoldSubject subject;
    std::uint64_t number = 0;
    Severity severity = Severity::kInfo;
    Fault fault = Fault::kUnknown;
    bool folded = false;
  };

  std::vector<Fired> fired;     // in this moment
  std::vector<Emitted> recent;  // a ring once it is full
  std::size_t oldest = 0;
  std::uint64_t emitted = 0;
  // Emitted and not folded: by Severity, and by Fault those of severity notice or more.
  std::array<std::uint64_t, 4> standing{};
  std::array<std::uint64_t, 5> accusing{};
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

void RuleEngine::add(const Rule& rule, Finding finding, std::uint64_t place,
                     std::uint64_t silence) {
  const FoldSubject subject{.rule = &rule,
                            .variant = finding.variant,
                            .transaction = finding.transaction,
                            .silence = silence,
                            .place = place};
  memory().fired.push_back({subject, std::move(finding)});
}

bool RuleEngine::has_findings() const { return memory_ != nullptr && !memory_->fired.empty(); }

void RuleEngine::settle(Time now, PlaceRange between) {
  if (!has_findings()) return;
  std::vector<Memory::Fired>& fired = memory_->fired;

  for (Memory::Fired& one : fired) {
    if (one.folded()) continue;
    const auto fold_under = [&](const FoldSubject& other) {
      if (&other == &one.subject || !folds(other, one.subject, between)) return;
      one.finding.folded_under = other.rule->id;
    };
    for (const Memory::Fired& other : fired) fold_under(other.subject);
    for (const Memory::Emitted& earlier : memory_->recent) fold_under(earlier.subject);
  }

  // Headlines first, so that what is folded stands under something.
  std::stable_partition(fired.begin(), fired.end(),
                        [](const Memory::Fired& one) { return !one.folded(); });
  for (Memory::Fired& one : fired) {
    Finding& finding = one.finding;
    emit({.number = 0,
          .rule = one.subject.rule,
          .variant = finding.variant,
          .severity = finding.severity,
          .fault = finding.fault,
          .time = finding.time,
          .text = std::move(finding.text),
          .entries = std::move(finding.entries),
          .transaction = finding.transaction,
          .attributes = std::move(finding.attributes),
          .folded_under = finding.folded_under},
         one.subject, now);
    fold_earlier(one.subject, between, now);
  }
  fired.clear();
}

void RuleEngine::emit(Annotation annotation, const FoldSubject& subject, Time now) {
  annotation.number = ++memory_->emitted;
  const Memory::Emitted emitted{.subject = subject,
                                .number = annotation.number,
                                .severity = annotation.severity,
                                .fault = annotation.fault,
                                .folded = !annotation.folded_under.empty()};
  if (memory_->recent.size() < kRemembered) {
    memory_->recent.push_back(emitted);
  } else {
    memory_->recent[memory_->oldest] = emitted;
    memory_->oldest = (memory_->oldest + 1) % kRemembered;
  }
  if (!emitted.folded) {
    ++memory_->standing[static_cast<std::size_t>(emitted.severity)];
    if (emitted.severity >= Severity::kNotice) {
      ++memory_->accusing[static_cast<std::size_t>(emitted.fault)];
    }
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

void RuleEngine::fold_earlier(const FoldSubject& headline, PlaceRange between, Time now) {
  for (Memory::Emitted& earlier : memory_->recent) {
    // A rule may fold another variant of itself, never the annotation just made.
    const bool is_headline = earlier.number == memory_->emitted;
    if (earlier.folded || is_headline || !folds(headline, earlier.subject, between)) continue;
    earlier.folded = true;
    --memory_->standing[static_cast<std::size_t>(earlier.severity)];
    if (earlier.severity >= Severity::kNotice) {
      --memory_->accusing[static_cast<std::size_t>(earlier.fault)];
    }
    std::erase_if(memory_->told, [&](const Told& one) { return one.number == earlier.number; });
    sink_.on_timeline(
        {.session = session_,
         .time = now,
         .body = AnnotationFolded{.number = earlier.number, .under = headline.rule->id}});
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

bool RuleEngine::accuses(Fault fault) const {
  return memory_ != nullptr && memory_->accusing[static_cast<std::size_t>(fault)] > 0;
}

std::span<const RuleEngine::Told> RuleEngine::told() const {
  if (memory_ == nullptr) return {};
  return memory_->told;
}

}  // namespace smtpscope
