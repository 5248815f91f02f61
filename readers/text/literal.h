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
