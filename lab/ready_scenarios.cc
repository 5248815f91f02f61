#include "lab/ready_scenarios.h"

#include <algorithm>

namespace smtpscope {

namespace {

std::string_view comment_in(std::string_view line) {
  if (!line.starts_with('#')) return {};
  while (!line.empty() && (line.front() == '#' || line.front() == ' ')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::string_view scenario_title(std::string_view text) {
  return comment_in(text.substr(0, text.find('\n')));
}

std::string_view scenario_asks(std::string_view text) {
  const std::size_t first = text.find('\n');
  if (first == std::string_view::npos || scenario_title(text).empty()) return {};
  return scenario_title(text.substr(first + 1));
}

std::string_view ReadyScenario::title() const { return scenario_title(text); }
std::string_view ReadyScenario::asks() const { return scenario_asks(text); }

const ReadyScenario* find_ready_scenario(std::string_view name) {
  const std::span<const ReadyScenario> all = ready_scenarios();
  const auto found = std::ranges::find(all, name, &ReadyScenario::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace smtpscope
