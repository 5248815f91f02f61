#pragma once

#include <span>
#include <string_view>

namespace smtpscope {

/// A scenario that comes with the program: a file of examples/scenarios, compiled in.
struct ReadyScenario {
  std::string_view name;  // of the file, without its ending
  std::string_view text;

  std::string_view title() const;
  std::string_view asks() const;
};

/// The first line of a scenario's text, without the mark, where it is a comment: what happens.
std::string_view scenario_title(std::string_view text);
/// Likewise the second: what is asked of a client then, "RFC ...: ...".
std::string_view scenario_asks(std::string_view text);

/// All of them, by name.
std::span<const ReadyScenario> ready_scenarios();
/// nullptr if there is none.
const ReadyScenario* find_ready_scenario(std::string_view name);

}  // namespace smtpscope
