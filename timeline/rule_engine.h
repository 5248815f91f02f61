#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/precedence.h"
#include "timeline/rule_context.h"
#include "timeline/rule_set.h"

namespace smtpscope {

/// Asks the rules, folds what tells the same story (precedence.h), and emits annotations. One per
/// session. Knows nothing of SMTP. Owns no heap memory until a rule fires; then remembers the last
/// kRemembered annotations, so that a later headline can fold them. Not thread-safe.
class RuleEngine {
 public:
  static constexpr std::size_t kRemembered = 64;
  /// The gravest findings kept in words for the verdict.
  static constexpr std::size_t kToldFindings = 6;
  /// Findings that wait for a reply; further ones are told at once.
  static constexpr std::size_t kMaxDeferred = 64;

  struct Told {
    std::uint64_t number = 0;
    const Rule* rule = nullptr;
    Severity severity = Severity::kInfo;
    Fault fault = Fault::kUnknown;
    Certainty certainty = Certainty::kSeen;
    std::string text;
    std::vector<std::string> ruled_out;
  };

  /// Both must outlive the engine.
  RuleEngine(SessionId session, const RuleSet& rules, TimelineSink& sink);
  ~RuleEngine();
  RuleEngine(const RuleEngine&) = delete;
  RuleEngine& operator=(const RuleEngine&) = delete;

  /// Rules that need one of these (RuleNeed bits) are not asked from here on.
  void lack(std::uint16_t needs) { lacking_ = needs; }
  /// A scenario has changed what the sides were given: what looks like the server's fault from here
  /// on is put down to smtpscope.
  void expect_alterations() { altered_ = true; }
  /// Notes those of them that are on as not evaluated. At the session's end.
  void tell_not_asked();

  /// Asks every rule with this trigger; `slot` as in RuleSet::candidates(). Findings are held
  /// until settle().
  void ask(RuleTrigger trigger, std::size_t slot, std::uint8_t marks, RuleContext& context);
  /// `exchange` has its reply, which is what `context` is about: findings that waited for it fire.
  void answered(Exchange exchange, RuleContext& context);
  /// No reply will come any more: what still waits fires.
  void give_up_waiting(std::uint64_t place);
  /// The end of a moment: what fired in it is folded and emitted. `between` is the range of
  /// entries that FoldScope::kBetweenTransactions means now.
  void settle(Time now, PlaceRange between);
  bool has_findings() const;

  SessionId session() const { return session_; }
  /// The rule that is being asked.
  const Rule& current() const { return *current_; }
  /// A finding of `rule`. `place` and `silence` are as in FoldSubject.
  void add(const Rule& rule, Finding finding, std::uint64_t place, std::uint64_t silence);
  /// A finding that waits for the reply to `exchange`; `place` is that of its command.
  void defer(const Rule& rule, Finding finding, std::uint64_t place, Exchange exchange);
  void not_evaluated(const Rule& rule, std::string_view why);

  /// Findings of `rule` so far, in settled moments, folded ones among them.
  std::uint32_t fired(const Rule& rule) const;
  std::uint32_t fired(const Rule& rule, std::string_view variant) const;
  std::span<const NotEvaluated> not_evaluated() const;

  /// Annotations emitted and not folded (so far).
  std::uint64_t annotations() const;
  std::uint64_t annotations(Severity severity) const;
  std::optional<Severity> worst() const;
  /// One of them, of severity notice or more, finds fault with `fault`.
  bool accuses(Fault fault) const;
  /// The gravest of them, gravest first, then oldest first.
  std::span<const Told> told() const;

 private:
  struct Memory;

  Memory& memory();
  void ask_decidable(std::span<const RuleSet::Candidate> candidates, std::uint8_t marks,
                     RuleContext& context);
  void count(const Rule& rule, std::string_view variant);
  void emit(Annotation annotation, const FoldSubject& subject, std::vector<std::string> ruled_out,
            Time now);
  void tell(const Annotation& annotation, std::vector<std::string> ruled_out);
  /// A headline was emitted: earlier annotations in its reach go under it.
  void fold_earlier(const FoldSubject& headline, PlaceRange between, Time now);

  const SessionId session_;
  const RuleSet& rules_;
  TimelineSink& sink_;
  const Rule* current_ = nullptr;
  std::uint16_t lacking_ = 0;
  bool altered_ = false;
  std::unique_ptr<Memory> memory_;
  // Of most sessions these are all; where there are more, Memory has the whole list.
  std::array<NotEvaluated, 2> first_not_evaluated_{};
  std::size_t not_evaluated_count_ = 0;
};

}  // namespace smtpscope
