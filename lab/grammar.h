#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lab/program.h"

namespace smtpscope {

/// What a row of the grammar is a pattern for. A line is `[who:] [when:] action`, or a setting.
enum class GrammarPart : std::uint8_t { kWho, kWhen, kAction, kSetting };

/// One pattern of the scenarios' language. Words in capitals stand for what the user fills in;
/// [brackets] hold what may be left out. Parser, listing and docs/scenarios.md are made from these.
struct GrammarRow {
  GrammarPart part;
  std::uint8_t code;    // LabWhen or LabAction, by `part`; of kWho and kSetting, see grammar.cc
  std::uint16_t whens;  // kAction: the moments that go with it, bits by LabWhen
  std::string_view pattern;
  std::string_view meaning;
  std::string_view example;  // a whole line
};

/// All rows, in the order in which they are listed.
std::span<const GrammarRow> scenario_grammar();

/// "who", "when", "action", "setting".
std::string_view to_string(GrammarPart part);

/// The grammar as a page of Markdown: docs/scenarios.md has it between two marks.
std::string grammar_as_markdown();
/// The same for a terminal.
std::string grammar_as_text();

/// Adds one line to `program`: `text` without a line's end; an empty one and a comment add nothing.
/// `place` is told in errors and by who speaks of the line: "FILE:3", "--what-if 1". The Error
/// names place, column, what was found and what was expected.
Result<Done> parse_scenario_line(std::string_view text, std::string_view place,
                                 LabProgram& program);

/// Adds a whole file, whose name is told in errors. All its errors are in the Error, one a line.
Result<Done> parse_scenario(std::string_view text, std::string_view name, LabProgram& program);

}  // namespace smtpscope
