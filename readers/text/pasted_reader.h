#pragma once

#include <algorithm>
#include <string_view>

#include "readers/text/dialogue_book.h"
#include "readers/text/foreign_lines.h"
#include "readers/text/line_content.h"
#include "readers/text/log_reader.h"
#include "readers/text/log_run.h"
#include "readers/text/log_stamp.h"
#include "readers/text/omission.h"
#include "readers/text/program_words.h"

namespace smtpscope {

/// What the readers of what programs print have in common. Not thread-safe.
class PastedReader : public LogReader {
 public:
  PastedReader(LogRun& run, WallTime latest, const DialogueBook::Traits& traits)
      : run_(run), stamps_(latest), book_(run, latest, traits), foreign_(run, latest) {}
  /// What read_line() makes nothing of is the program's own.
  void read(std::string_view line) final {
    book_.begin_line();
    read_line(line);
    if (book_.has_told()) {
      foreign_.interrupt();
    } else if (!foreign_.take(line)) {
      marks_omission(line) ? book_.omit_on_only() : remark(line);
    }
  }
  void finish() override {
    foreign_.finish();
    book_.finish();
  }

 protected:
  virtual void read_line(std::string_view line) = 0;

  /// Takes the stamp off the beginning of `line`, if there is one, and the blanks behind it.
  std::string_view without_stamp(std::string_view line) {
    const auto stamp = stamps_.read_any(line);
    if (!stamp) return line;
    book_.at(stamp);
    line.remove_prefix(std::min(stamp->size, line.size()));
    return without_leading_blanks(line);
  }

  /// Of the session that is spoken of, where it can be no other.
  void remark(std::string_view line) {
    if (!program_words(line) && !says_unreachable(line)) return;
    if (const auto stamp = stamps_.read_any(line)) {
      line.remove_prefix(std::min(stamp->size, line.size()));
    }
    book_.remark_on_only(trimmed_blanks(line));
  }

  LogRun& run_;
  LogStamps stamps_;
  DialogueBook book_;

 private:
  ForeignLines foreign_;
};

/// What stands behind `mark` at the beginning of `line`, less one blank; false if it does not begin
/// with it. A mark's own blank may be missing at the line's end, where it was trimmed.
inline bool take_mark(std::string_view line, std::string_view mark, std::string_view& text) {
  if (mark.ends_with(' ') && line == mark.substr(0, mark.size() - 1)) {
    text = {};
    return true;
  }
  if (!line.starts_with(mark)) return false;
  text = line.substr(mark.size());
  return true;
}

/// In full: line ends, reads and closes are what no such program prints.
inline constexpr std::uint16_t kPrintedHides = kUnknownOctets | kUnknownReads | kUnknownCloses;
/// Without the message.
inline constexpr std::uint16_t kPrintedWithoutMessages = kPrintedHides | kUnknownContent;

}  // namespace smtpscope
