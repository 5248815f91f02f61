#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "timeline/precedence.h"
#include "timeline/rule.h"
#include "timeline/thresholds.h"

namespace smtpscope {

class ReasonTable;

/// The rules that are asked in a run, and the thresholds they compare with: what the user chose.
/// Made once, shared by all sessions, not changed while any session lives. Read-only use is
/// thread-safe.
class RuleSet {
 public:
  /// All rules, with the catalogue's thresholds.
  RuleSet();

  /// Switches rules off or on: `name` is a rule's id, a category, or "all". The Error names what
  /// is not known, and the nearest that is.
  Result<Done> switch_off(std::string_view name);
  Result<Done> switch_on(std::string_view name);
  /// "RULE.key=value", as given to --set.
  Result<Done> set(std::string_view assignment);
  void set(Threshold threshold, std::int64_t value) { thresholds_.set(threshold, value); }

  /// Decides which findings are folded; must outlive this. The standard table unless told.
  void set(const PrecedenceTable& table) { precedence_ = &table; }
  const PrecedenceTable& precedence() const { return *precedence_; }

  /// One more rule than the catalogue has: always on, asked, and not to find anything. For tests of
  /// what goes on around rules. It must outlive the set.
  void add(const Rule& rule);

  bool is_on(const Rule& rule) const;
  /// Ids of the rules that are off, in the order of the catalogue.
  std::vector<std::string_view> off() const;
  const Thresholds& thresholds() const { return thresholds_; }
  /// By what servers are known to say why they refuse; what is compiled in unless set.
  const ReasonTable& reasons() const;
  void set_reasons(std::shared_ptr<const ReasonTable> reasons) { reasons_ = std::move(reasons); }

  /// A rule that may have to be asked: always, or with one of the marks `only` (RuleMark bits).
  struct Candidate {
    const Rule* rule;
    std::uint8_t only;

    bool wants(std::uint8_t marks) const { return only == 0 || (only & marks) != 0; }
  };
  /// In the order of the catalogue.
  struct Candidates {
    std::vector<Candidate> all;
    std::vector<const Rule*> always;  // those that are asked without any mark
  };
  /// `slot`: the verb, or kGreetingSlot, kNothingSlot.
  const Candidates& candidates(RuleTrigger trigger, std::size_t slot) const {
    const auto bit = static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(trigger)));
    return table_[bit * kVerbSlots + slot];
  }

 private:
  Result<Done> turn(std::string_view name, bool on);
  void make_table();
  void put_into_table(const Rule& rule);

  Thresholds thresholds_;
  const PrecedenceTable* precedence_ = &PrecedenceTable::standard();
  std::shared_ptr<const ReasonTable> reasons_;  // nullptr: what is compiled in
  std::vector<bool> on_;                        // by place in all_rules()
  std::array<Candidates, kRuleTriggers * kVerbSlots> table_;
};

}  // namespace smtpscope
