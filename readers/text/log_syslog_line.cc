#include "readers/text/log_syslog_line.h"

namespace smtpscope {
namespace {

/// The first word, taken off `text` with the blanks around it.
std::string_view take_word(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  const std::size_t end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

std::optional<SyslogLine> read_syslog_line(std::string_view line, LogStamps& stamps) {
  // RFC 3164 4.1.1: "<22>", where it was not taken off.
  if (line.starts_with('<')) {
    const std::size_t end = line.find('>');
    constexpr std::size_t kLongestPriority = 4;
    if (end > kLongestPriority) return std::nullopt;  // or there is none
    line.remove_prefix(end + 1);
  }
  const std::optional<LogStamp> stamp = stamps.read(line);
  if (!stamp) return std::nullopt;
  std::string_view rest = line.substr(stamp->size);
  if (!rest.starts_with(' ')) return std::nullopt;
  SyslogLine read;
  read.stamp = *stamp;
  read.host = take_word(rest);
  // "program[123]:", "program:"
  const std::size_t colon = rest.find(": ");
  const std::string_view tag =
      rest.substr(0, colon == std::string_view::npos ? rest.size() : colon);
  std::string_view tag_words = tag;
  read.program = take_word(tag_words);
  if (colon == std::string_view::npos) {
    // A message without text: some programs log those, and their blank is trimmed.
    if (!read.program.ends_with(':') || !tag_words.empty()) return std::nullopt;
    read.program.remove_suffix(1);
  } else {
    if (!tag_words.empty()) return std::nullopt;
    read.message = rest.substr(colon + 2);
  }
  const std::size_t bracket = read.program.find('[');
  if (bracket != std::string_view::npos && read.program.ends_with(']')) {
    read.process = read.program.substr(bracket + 1, read.program.size() - bracket - 2);
    read.program = read.program.substr(0, bracket);
  }
  if (read.program.empty()) return std::nullopt;
  return read;
}

}  // namespace smtpscope
