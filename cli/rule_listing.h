#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/rule.h"

namespace smtpscope {

/// The categories that have rules, and all severities, in the order of the catalogue.
std::vector<std::string> category_names();
std::vector<std::string> severity_names();

/// One line per rule: id, usual severity, category, title.
std::string rules_as_table(std::span<const Rule* const> rules);
/// One line per threshold of these rules: name, standard value, words.
std::string thresholds_as_table(std::span<const Rule* const> rules);
/// A JSON array of objects with all words of each rule, and its thresholds.
std::string rules_as_json(std::span<const Rule* const> rules);
/// The page docs/rules.md.
std::string rules_as_markdown(std::span<const Rule* const> rules);

/// All words of a rule for a terminal, wrapped to `width` columns (0: not wrapped).
std::string explain_rule(const Rule& rule, std::size_t width);

}  // namespace smtpscope
