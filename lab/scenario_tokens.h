#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

/// A word of a scenario's line.
struct ScenarioToken {
  enum class Kind : std::uint8_t {
    kWord,
    kQuoted,  // "...", with \" and \\ in it
    kColon,   // before a blank or the line's end, so that 2001:db8::/32 is a word
    kComma,
  };
  Kind kind = Kind::kWord;
  std::string text;        // without the quotes
  std::size_t column = 0;  // from 1
  std::size_t width = 0;   // octets in the line
};

/// Takes a line apart, its comment left out. Gives the column of a quote that is not closed.
std::optional<std::size_t> read_scenario_tokens(std::string_view line,
                                                std::vector<ScenarioToken>& tokens);

/// The line without its comment, and without blanks at its ends.
std::string without_comment(std::string_view line);

}  // namespace smtpscope
