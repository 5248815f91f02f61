#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

/// What a line of text says, whoever wrote it down.
enum class LineContent : std::uint8_t { kOther, kReply, kCommand };

/// A reply line (RFC 5321 4.2): a code that SMTP has, then nothing, a blank or a hyphen. A command:
/// a verb with what belongs behind it (4.1.1). Prose that begins with a verb is neither.
LineContent content_of(std::string_view text);

/// A line that says something, and the text before it: "14:02:11 app[7] C: " of "14:02:11 app[7] C:
/// QUIT".
struct FoundContent {
  LineContent content = LineContent::kOther;
  std::size_t at = 0;
};
FoundContent find_content(std::string_view line);

/// The lines of a reply that were written without their line ends:
/// "250-mx.example250-PIPELINING250 8BITMIME". One line if they were not.
/// `blanks`: where its line ends were, blanks are.
std::vector<std::string_view> unglued_reply(std::string_view text, bool blanks = false);

/// Where the reply begins that stands right behind a command that was typed without a line end in
/// the log: "quit221 2.0.0 Bye".
std::optional<std::size_t> glued_reply_at(std::string_view text);

constexpr std::string_view without_leading_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}
std::string_view trimmed_blanks(std::string_view text);

/// What stands between `open` and the next `close` behind it; "" if they are not there.
std::string_view between(std::string_view text, std::string_view open, std::string_view close);

}  // namespace smtpscope
