#include "readers/text/unread_dialogue.h"

#include <fmt/format.h>

#include "readers/text/dialogue_signs.h"
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
  // Replies and commands are quoted in error messages, too, but not in turn.
  DialogueSigns signs;
  const Line* first = nullptr;
  const Line* last = nullptr;
  for (const Line& line : lines_) {
    const auto found = marks.find(line.text);
    const LineContent content = found ? content_of(found->text) : LineContent::kOther;
    if (content == LineContent::kOther) continue;
    signs.see(found->text, content);
    if (first == nullptr) first = &line;
    last = &line;
  }
  if (!signs.make_a_dialogue()) return;
  run_.note(
      fmt::format("lines {} to {} look like another dialogue, which was not read: put it "
                  "into a file of its own, or read it with --as dialogue",
                  first->number, last->number));
}

}  // namespace smtpscope
