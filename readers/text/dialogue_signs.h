#pragma once

#include <cstddef>
#include <string_view>

#include "readers/text/line_content.h"

namespace smtpscope {

/// Whether lines without marks are a dialogue, and not a reply or a command that somebody quotes:
/// replies stand behind commands. Not thread-safe.
class DialogueSigns {
 public:
  void see(std::string_view line, LineContent content) {
    if (content == LineContent::kReply) {
      greeted_ = greeted_ || (!asked_ && answered_ == 0 && line.starts_with("220"));
      answered_ += asked_ ? 1 : 0;
    }
    if (content != LineContent::kOther) asked_ = content == LineContent::kCommand;
  }
  bool make_a_dialogue() const { return answered_ >= (greeted_ ? 1U : 2U); }

 private:
  bool greeted_ = false;
  bool asked_ = false;  // a command was the last that was said
  std::size_t answered_ = 0;
};

}  // namespace smtpscope
