#include "timeline/rule_words.h"

#include <algorithm>
#include <vector>

namespace smtpscope {

extern const std::span<const ProseSource> kRulesProse;

const ProsePage& words_of(const Rule& rule) {
  static const std::vector<ProsePage> kPages = read_pages(kRulesProse);
  static const ProsePage kNone;
  const auto found = std::ranges::find(kPages, rule.id, &ProsePage::id);
  return found == kPages.end() ? kNone : *found;
}

}  // namespace smtpscope
