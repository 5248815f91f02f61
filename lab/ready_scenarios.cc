#include "lab/ready_scenarios.h"

#include <algorithm>

namespace smtpscope {

std::string_view ReadyScenario::title() const {
  std::string_view line = text.substr(0, text.find('\n'));
  while (!line.empty() && (line.front() == '#' || line.front() == ' ')) line.remove_prefix(1);
  return line;
}

const ReadyScenario* find_ready_scenario(std::string_view name) {
  const std::span<const ReadyScenario> all = ready_scenarios();
  const auto found = std::ranges::find(all, name, &ReadyScenario::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace smtpscope
