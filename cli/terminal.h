#pragma once

#include <cstddef>

namespace smtpscope {

/// The descriptor is a terminal.
bool is_terminal(int fd);

/// The descriptor is a terminal on which a line can be taken back.
bool can_rewrite(int fd);

/// Columns of the terminal behind `fd`; COLUMNS stands in where the terminal does not tell. 0 if
/// it is no terminal: lines are then not cut.
std::size_t terminal_width(int fd);
/// Columns for prose: words are hard to read across a whole wide screen.
std::size_t reading_width(int fd);

/// The locale's character set is UTF-8. main() has called setlocale() before.
bool locale_is_utf8();

/// The user's environment wants no colour: NO_COLOR is set and not empty (no-color.org), or the
/// terminal is a dumb one.
bool environment_refuses_colour();

}  // namespace smtpscope
