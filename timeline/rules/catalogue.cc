#include "timeline/rules/catalogue.h"

#include <algorithm>
#include <array>

namespace smtpscope {
namespace {

constexpr std::array kRules = {
#define RULE(name) &k##name,
#include "timeline/rules/catalogue.def"
#undef RULE
};

}  // namespace

std::span<const Rule* const> all_rules() { return kRules; }

const Rule* find_rule(std::string_view id) {
  const auto found = std::ranges::find(kRules, id, &Rule::id);
  return found == kRules.end() ? nullptr : *found;
}

}  // namespace smtpscope
