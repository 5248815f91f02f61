#include "readers/text/other_dialogue.h"

#include "readers/text/log_lines.h"

namespace smtpscope {

bool OtherDialogue::take(std::string_view line) {
  if (reading_) {
    reading_->terminal.take(line);
    return true;
  }
  const LineContent content = content_of(line);
  const bool begins = content != LineContent::kOther || line.starts_with("Trying ") ||
                      line.starts_with("Connected to ");
  if (kept_.empty() && !begins) return false;
  if (kept_.size() + line.size() >= kMostKept) {
    finish();
    return false;
  }
  kept_ += line;
  kept_ += '\n';
  signs_.see(line, content);
  if (!signs_.make_a_dialogue()) return false;
  reading_ = std::make_unique<Reading>(run_, latest_);
  any_line(kept_, [&](std::string_view each) {
    reading_->terminal.take(each);
    return false;
  });
  kept_.clear();
  return true;
}

void OtherDialogue::finish() {
  kept_.clear();
  signs_ = {};
  if (!reading_) return;
  reading_->terminal.finish();
  reading_->book.finish();
  reading_.reset();
}

}  // namespace smtpscope
