#pragma once

#include <string>
#include <string_view>

namespace smtpscope {

/// Reads `text` as a string literal of Python or Ruby, b'250 ok\r\n' or "EHLO x\r\n", into
/// `octets`. False when it is none: then `octets` is empty. What follows the closing quote does not
/// count; one without a closing quote was cut.
bool read_literal(std::string_view text, std::string& octets);

/// Without the CR and LF at its end.
std::string_view without_line_end(std::string_view text);

/// Without "\r\n", "\n" at the end, which a program wrote as letters in place of a line's end.
std::string_view without_written_line_end(std::string_view text);

/// Hands each line of `text` on in which "\r\n" is written so; one at least.
template <typename Each>
void each_written_line(std::string_view text, Each&& each) {
  constexpr std::string_view kEnd = "\\r\\n";
  for (std::size_t end = text.find(kEnd); end != std::string_view::npos; end = text.find(kEnd)) {
    each(text.substr(0, end));
    text.remove_prefix(end + kEnd.size());
  }
  each(text);
}

/// Hands each line of `text` on, without its end.
template <typename Each>
void each_text_line(std::string_view text, Each&& each) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    each(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

}  // namespace smtpscope
