#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

// All of these take text that escape() has made harmless, or words of ours. Widths are terminal
// columns: East Asian wide characters take two, combining marks none.

/// Columns that the text takes.
std::size_t display_width(std::string_view text);

/// The text, or its beginning and `mark` where it takes more than `width` columns. Never cuts
/// inside a character, nor inside an escape such as \x1B.
std::string cut_to_width(std::string_view text, std::size_t width, std::string_view mark);

/// The text in pieces of at most `width` columns; nothing is dropped. Never empty. `width` 0: one
/// piece.
std::vector<std::string> chop(std::string_view text, std::size_t width);

/// The text in lines of at most `width` columns, broken at spaces where there are any, the first
/// line shortened by `first_indent`. Never empty. `width` 0: one line.
std::vector<std::string> wrap(std::string_view text, std::size_t width,
                              std::size_t first_indent = 0);

/// Appends `text` in lines of at most `width` columns, but never of less than 40 (0: one line),
/// with `first` before the first of them and as much room before the others.
void put_wrapped(std::string& out, std::string_view first, std::string_view text,
                 std::size_t width);

}  // namespace smtpscope
