#include "readers/text/bare_stretches.h"

#include <algorithm>

#include "readers/text/dialogue_signs.h"
#include "readers/text/line_content.h"
#include "readers/text/literal.h"
#include "readers/text/log_stamp.h"

namespace smtpscope {

std::vector<TextPart> bare_stretches(std::string_view text, const Marks& marks) {
  std::vector<TextPart> parts;
  // Where one side has marks only, the others are the other side's lines.
  if (!marks.marks(Side::kClient) || !marks.marks(Side::kServer)) return parts;
  LogStamps stamps{WallTime{}};
  DialogueSigns signs;
  TextPart part;
  const auto close = [&](std::size_t end) {
    part.end = end;
    if (signs.make_a_dialogue()) parts.push_back(part);
    signs = {};
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (const auto stamp = stamps.read_any(line)) {
      line.remove_prefix(std::min(stamp->size, line.size()));
    }
    line = without_written_line_end(without_leading_blanks(line));
    const auto marked = marks.find(line);
    if (marked && find_content(line.substr(marked->at)).content != LineContent::kOther) {
      close(at);
      part.begin = end + 1;
    } else {
      signs.see(line, content_of(line));
    }
    at = end + 1;
  }
  close(text.size());
  return parts;
}

}  // namespace smtpscope
