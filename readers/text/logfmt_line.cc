#include "readers/text/logfmt_line.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"
#include "readers/text/line_content.h"
#include "readers/text/literal.h"

namespace smtpscope {
namespace {

/// What stands behind `key`, where that begins a word; "" if it does not occur.
std::string_view behind_key(std::string_view line, std::string_view key) {
  for (std::size_t at = line.find(key); at < line.size(); at = line.find(key, at + 1)) {
    if (at == 0 || is_blank(line[at - 1])) return line.substr(at + key.size());
  }
  return {};
}

std::string_view value_of(std::string_view behind) {
  if (!behind.starts_with('"')) return behind.substr(0, behind.find(' '));
  behind.remove_prefix(1);
  return behind.substr(0, behind.find('"'));
}

}  // namespace

std::optional<std::string> text_of_logfmt_line(std::string_view line) {
  const std::string_view message = behind_key(line, "msg=");
  if (!message.starts_with('"') || behind_key(line, "level=").empty()) return std::nullopt;
  std::string said;
  if (!read_literal(message, said)) return std::nullopt;
  // "Writing response to client: \n250 2.1.0 OK\r\n": what is told stands in the next line.
  const std::size_t end = said.find('\n');
  if (end < said.size() && trimmed_blanks(said.substr(0, end)).ends_with(':')) said.erase(end, 1);
  std::string text(value_of(behind_key(line, "time=")));
  if (!text.empty()) text += ' ';
  text += without_line_end(said);
  std::erase(text, '\r');
  return text;
}

}  // namespace smtpscope
