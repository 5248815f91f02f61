#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "timeline/reasons/reply_reason.h"

namespace smtpscope {

/// "5.7.1", "x.7.1" (any class); the class 0 is any.
struct EnhancedPattern {
  std::uint8_t of_class = 0;
  std::uint16_t subject = 0;
  std::uint16_t detail = 0;
  bool matches(const EnhancedPattern& code) const {
    return (of_class == 0 || of_class == code.of_class) && subject == code.subject &&
           detail == code.detail;
  }
};

/// "550", "55x", "5xx": the codes from `first` to `last`.
struct CodePattern {
  std::uint16_t first = 0, last = 0;
  bool matches(std::uint16_t code) const { return code >= first && code <= last; }
};

/// Where a line of the table counts. Empty lists: anywhere.
struct ReasonCondition {
  std::uint16_t stages = 0;  // bits by ReplyStage
  std::vector<CodePattern> codes;
  std::vector<EnhancedPattern> enhanced;
};

/// A line that speaks for a reason.
struct ReasonLine {
  enum class Kind : std::uint8_t { kWords, kEnhanced, kCode };
  Kind kind = Kind::kWords;
  ReplyReason reason = ReplyReason::kUnknown;
  int weight = 0;
  ReasonCondition when;  // of kEnhanced and kCode the codes that they are about, too
  std::string pattern;   // of kWords
};

/// What a table of reasons says, line by line.
struct ReasonLines {
  struct Words {
    std::string says, means, who;
    std::vector<std::string> checks;
    bool wait = false;
  };
  std::vector<ReasonLine> lines;
  std::array<Words, kReplyReasons> words;
  std::vector<std::string> ignored, temporary, permanent;  // patterns
};

/// Reads a table; `name` is what errors cite. Adds to `into`: words that are there already are
/// replaced, patterns are added behind.
Result<Done> read_reason_lines(std::string_view text, std::string_view name, ReasonLines& into);

/// "5.7.1"; class 0 with `any_class` also of "x.7.1". False: it is none.
bool read_enhanced(std::string_view text, EnhancedPattern& code);

}  // namespace smtpscope
