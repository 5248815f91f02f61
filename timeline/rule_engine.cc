#include "timeline/rule_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "timeline/state/arrival_times.h"
#include "timeline/unmet_needs.h"

namespace smtpscope {
namespace {

/// In order, each once, and 0 for no entry left out.
void tidy(std::vector<std::uint64_t>& entries) {
  std::erase(entries, 0);
  std::ranges::sort(entries);
  // Not std::ranges::unique: Clang 14 cannot compile GCC 12's.
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
}

/// What the server made of the command that a finding is about.
void tell_reply(const Reply& reply, Finding& finding) {
  finding.text += fmt::format("; the server answered {}", reply.code);
  finding.attributes.emplace_back("reply", std::to_string(reply.code));
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

  /// Most sessions that have findings have a few.
  Memory() {
    fired.reserve(2);
    recent.reserve(4);
    told.reserve(4);
    counts.reserve(4);
  }

  std::vector<Fired> fired;     // in this moment
  std::vector<Emitted> recent;  // a ring once it is full
  std::size_t oldest = 0;
  std::uint64_t emitted = 0;
  // Emitted and not folded: by Severity, and by Fault those of severity notice or more.
  std::array<std::uint64_t, 4> standing{};
  std::array<std::uint64_t, 5> accusing{};
  std::vector<Told> told;

  struct Deferred {
    const Rule* rule = nullptr;
    Finding finding;
    std::uint64_t place = 0;
    Exchange exchange = 0;
  };
  std::vector<Deferred> deferred;  // oldest first
  std::vector<NotEvaluated> not_evaluated;
  // How often each rule fired in each variant; few do.
  struct Count {
    const Rule* rule = nullptr;
    std::string_view variant;
    std::uint32_t times = 0;
  };
  std::vector<Count> counts;
};

RuleEngine::RuleEngine(SessionId session, const RuleSet& rules, TimelineSink& sink)
    : session_(session), rules_(rules), sink_(sink) {}
RuleEngine::~RuleEngine() = default;

RuleEngine::Memory& RuleEngine::memory() {
  if (memory_ == nullptr) memory_ = std::make_unique<Memory>();
  return *memory_;
}

void RuleEngine::ask(RuleTrigger trigger, std::size_t slot, std::uint8_t marks,
                     RuleContext& context) {
  const RuleSet::Candidates& candidates = rules_.candidates(trigger, slot);
  if (lacking_ != 0) {
    ask_decidable(candidates.all, marks, context);
    return;
  }
  if (marks == 0) {
    for (const Rule* rule : candidates.always) {
      current_ = rule;
      rule->evaluate(context);
    }
    return;
  }
  for (const RuleSet::Candidate& candidate : candidates.all) {
    if (!candidate.wants(marks)) continue;
    current_ = candidate.rule;
    candidate.rule->evaluate(context);
  }
}

void RuleEngine::ask_decidable(std::span<const RuleSet::Candidate> candidates, std::uint8_t marks,
                               RuleContext& context) {
  for (const RuleSet::Candidate& candidate : candidates) {
    if (!candidate.wants(marks) || (candidate.rule->needs & lacking_) != 0) continue;
    current_ = candidate.rule;
    candidate.rule->evaluate(context);
  }
}

void RuleEngine::tell_not_asked() {
  if (lacking_ == 0) return;
  for (const Rule* rule : all_rules()) {
    const auto unmet = static_cast<std::uint16_t>(rule->needs & lacking_);
    if (unmet != 0 && rules_.is_on(*rule)) not_evaluated(*rule, why_unmet(unmet));
  }
}

void RuleEngine::answered(Exchange exchange, RuleContext& context) {
  if (memory_ == nullptr || memory_->deferred.empty()) return;
  std::vector<Memory::Deferred> due;
  std::erase_if(memory_->deferred, [&](Memory::Deferred& one) {
    if (one.exchange != exchange) return false;
    due.push_back(std::move(one));
    return true;
  });
  for (Memory::Deferred& one : due) {
    current_ = one.rule;
    if (one.rule->answered == nullptr) {
      tell_reply(*context.reply(), one.finding);
    } else if (!one.rule->answered(context, one.finding)) {
      continue;
    }
    one.finding.entries.push_back(context.entry()->number);
    add(*one.rule, std::move(one.finding), context.entry()->number, 0);
  }
}

void RuleEngine::give_up_waiting(std::uint64_t place) {
  if (memory_ == nullptr) return;
  for (Memory::Deferred& one : std::exchange(memory_->deferred, {})) {
    one.finding.text += "; no reply to it was seen";
    add(*one.rule, std::move(one.finding), place, 0);
  }
}

void RuleEngine::defer(const Rule& rule, Finding finding, std::uint64_t place, Exchange exchange) {
  if (memory().deferred.size() == kMaxDeferred) {
    add(rule, std::move(finding), place, 0);
    return;
  }
  memory_->deferred.push_back(
      {.rule = &rule, .finding = std::move(finding), .place = place, .exchange = exchange});
}

void RuleEngine::not_evaluated(const Rule& rule, std::string_view why) {
  const std::span<const NotEvaluated> known = not_evaluated();
  if (std::ranges::find(known, &rule, &NotEvaluated::rule) != known.end()) return;
  if (not_evaluated_count_ == first_not_evaluated_.size()) {
    memory().not_evaluated.assign(known.begin(), known.end());
  }
  const NotEvaluated one{.rule = &rule, .why = why};
  if (not_evaluated_count_ < first_not_evaluated_.size()) {
    first_not_evaluated_[not_evaluated_count_] = one;
  } else {
    memory().not_evaluated.push_back(one);
  }
  ++not_evaluated_count_;
}

std::span<const NotEvaluated> RuleEngine::not_evaluated() const {
  if (not_evaluated_count_ > first_not_evaluated_.size()) return memory_->not_evaluated;
  return std::span(first_not_evaluated_).first(not_evaluated_count_);
}

std::uint32_t RuleEngine::fired(const Rule& rule) const {
  if (memory_ == nullptr) return 0;
  std::uint32_t sum = 0;
  for (const Memory::Count& count : memory_->counts) {
    if (count.rule == &rule) sum += count.times;
  }
  return sum;
}

std::uint32_t RuleEngine::fired(const Rule& rule, std::string_view variant) const {
  if (memory_ == nullptr) return 0;
  for (const Memory::Count& count : memory_->counts) {
    if (count.rule == &rule && count.variant == variant) return count.times;
  }
  return 0;
}

void RuleEngine::add(const Rule& rule, Finding finding, std::uint64_t place,
                     std::uint64_t silence) {
  tidy(finding.entries);
  // What looks like the server's doing may be the scenario's.
  if (altered_ && (finding.fault == Fault::kServer || finding.fault == Fault::kNetwork)) {
    finding.fault = Fault::kProxy;
  }
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
      if (&other == &one.subject || !rules_.precedence().folds(other, one.subject, between)) return;
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
    FoldSubject headline = one.subject;
    const std::vector<std::uint64_t> named = finding.entries;
    headline.entries = named;
    count(*one.subject.rule, one.subject.variant);
    emit({.number = 0,
          .rule = one.subject.rule,
          .variant = finding.variant,
          .severity = finding.severity,
          .fault = finding.fault,
          .certainty = finding.certainty,
          .time = finding.time,
          .text = std::move(finding.text),
          .entries = std::move(finding.entries),
          .transaction = finding.transaction,
          .attributes = std::move(finding.attributes),
          .folded_under = finding.folded_under},
         one.subject, std::move(finding.ruled_out), now);
    fold_earlier(headline, between, now);
  }
  fired.clear();
}

void RuleEngine::count(const Rule& rule, std::string_view variant) {
  for (Memory::Count& count : memory_->counts) {
    if (count.rule != &rule || count.variant != variant) continue;
    ++count.times;
    return;
  }
  memory_->counts.push_back({.rule = &rule, .variant = variant, .times = 1});
}

void RuleEngine::emit(Annotation annotation, const FoldSubject& subject,
                      std::vector<std::string> ruled_out, Time now) {
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
    tell(annotation, std::move(ruled_out));
  }
  sink_.on_timeline({.session = session_, .time = now, .body = std::move(annotation)});
}

void RuleEngine::tell(const Annotation& annotation, std::vector<std::string> ruled_out) {
  std::vector<Told>& told = memory_->told;
  const auto lesser = std::ranges::find_if(
      told, [&](const Told& other) { return other.severity < annotation.severity; });
  if (lesser == told.end() && told.size() == kToldFindings) return;
  told.insert(lesser, {.number = annotation.number,
                       .rule = annotation.rule,
                       .severity = annotation.severity,
                       .fault = annotation.fault,
                       .certainty = annotation.certainty,
                       .text = annotation.text,
                       .ruled_out = std::move(ruled_out)});
  if (told.size() > kToldFindings) told.pop_back();
}

void RuleEngine::fold_earlier(const FoldSubject& headline, PlaceRange between, Time now) {
  for (Memory::Emitted& earlier : memory_->recent) {
    // A rule may fold another variant of itself, never the annotation just made.
    const bool is_headline = earlier.number == memory_->emitted;
    if (earlier.folded || is_headline ||
        !rules_.precedence().folds(headline, earlier.subject, between))
      continue;
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
