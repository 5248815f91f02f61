#pragma once

#include <span>
#include <string_view>

namespace smtpscope {

/// A scenario that comes with the program: a file of examples/scenarios, compiled in.
struct ReadyScenario {
  std::string_view name;  // of the file, without its ending
  std::string_view text;

  /// Its first line, a comment, without the mark.
  std::string_view title() const;
};

/// All of them, by name.
std::span<const ReadyScenario> ready_scenarios();
/// nullptr if there is none.
const ReadyScenario* find_ready_scenario(std::string_view name);

}  // namespace smtpscope
