#include "readers/text/unread_dialogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "readers/text/line_content.h"
#include "readers/text/marks.h"

namespace smtpscope {

void UnreadDialogue::take(std::string_view line) {
  if (looked_at_ >= kMostLookedAt || lines_.size() >= kMostLines) return;
  looked_at_ += line.size() + 1;
  const FoundContent found = find_content(line);
  if (found.content != LineContent::kOther && found.at > 0) {
    lines_.push_back({run_.lines(), std::string(line)});
  }
}

void UnreadDialogue::finish() {
  std::string text;
  for (const Line& line : lines_) text += line.text + '\n';
  const Marks marks = Marks::learnt_from(text);
  if (!marks.marks(Side::kClient) || !marks.marks(Side::kServer) || !marks.make_a_dialogue())
    return;
  // Replies and commands are quoted in error messages, too; a greeting only with what follows it.
  const auto said = [&](const Line& line) {
    const auto found = marks.find(line.text);
    return found ? found->text : std::string_view();
  };
  const auto first = std::find_if(lines_.begin(), lines_.end(),
                                  [&](const Line& line) { return said(line).starts_with("220"); });
  if (first == lines_.end()) return;
  const auto last = std::find_if(lines_.rbegin(), lines_.rend(), [&](const Line& line) {
    return content_of(said(line)) != LineContent::kOther;
  });
  run_.note(
      fmt::format("lines {} to {} look like another dialogue, which was not read: put it "
                  "into a file of its own, or read it with --as dialogue",
                  first->number, last->number));
}

}  // namespace smtpscope
