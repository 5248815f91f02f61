#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "timeline/rule_set.h"

namespace CLI {
class App;
}

namespace smtpscope {

/// Which rules the user wants, and with which thresholds, as text; read by make_rules().
struct RuleOptions {
  std::string gap;               // --gap
  std::vector<std::string> set;  // --set
  std::vector<std::string> off;  // --off
  std::vector<std::string> on;   // --on
  std::string reasons;           // --reasons
};

/// Adds --gap, --set, --off, --on and --reasons to `app`.
void add_rule_options(CLI::App& app, RuleOptions& options);

/// The rules that the options describe. What is switched off by category can be switched on again
/// by id. The Error says what is wrong and where to look.
Result<RuleSet> make_rules(const RuleOptions& options);

}  // namespace smtpscope
