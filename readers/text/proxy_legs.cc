#include "readers/text/proxy_legs.h"

#include <algorithm>

#include "base/ascii.h"
#include "readers/text/line_content.h"
#include "readers/text/log_lines.h"
#include "readers/text/log_stamp.h"

namespace smtpscope {
namespace {

std::size_t blanks_before(std::string_view line, std::size_t mark) {
  std::size_t begin = std::min(mark, line.size());
  while (begin > 0 && is_blank(line[begin - 1])) --begin;
  return mark - begin;
}

}  // namespace

ProxyLegs ProxyLegs::learnt_from(std::string_view text, const Marks& marks) {
  /// Less may be a column that is filled up.
  constexpr std::size_t kLeast = 2;
  ProxyLegs legs;
  LogStamps stamps{WallTime{}};
  std::string_view said_before;
  std::size_t blanks_of_it = 0;
  bool replies = false, commands = false;
  any_line(text, [&](std::string_view line) {
    if (const auto stamp = stamps.read_any(line)) {
      line.remove_prefix(std::min(stamp->size, line.size()));
    }
    line = without_leading_blanks(line);
    const auto marked = marks.find(line);
    if (!marked) return false;
    const LineContent content = find_content(marked->text).content;
    if (content == LineContent::kOther) return false;
    const std::size_t blanks = blanks_before(line, marked->at);
    const std::size_t deeper = std::max(blanks, blanks_of_it);
    const bool twice = marked->text == said_before &&
                       deeper >= std::min(blanks, blanks_of_it) + kLeast &&
                       (legs.indentation_ == 0 || legs.indentation_ == deeper);
    if (twice) {
      legs.indentation_ = deeper;
      (content == LineContent::kReply ? replies : commands) = true;
    }
    said_before = marked->text;
    blanks_of_it = blanks;
    return replies && commands;
  });
  // What one side says twice is no relay.
  if (!replies || !commands) legs.indentation_ = 0;
  return legs;
}

std::string_view ProxyLegs::key_of(std::string_view line, std::size_t mark) const {
  return known() && blanks_before(line, mark) >= indentation_ ? "onwards" : "";
}

}  // namespace smtpscope
