#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/item.h"
#include "parser/line_reader.h"

namespace smtpscope {

/// What is kept of one reply: room for the longest EHLO and HELP replies seen, several times over.
/// Further lines are counted, and the code of the last one still counts.
inline constexpr std::size_t kKeptReplyLines = 200;
inline constexpr std::size_t kKeptReplyText = 64 * 1024;

/// A reply line taken apart (RFC 5321 4.2): `^[0-9]{3}(?:[- ].*)?$`.
struct ReplyLineParts {
  std::uint16_t code = 0;
  bool more = false;  // "-" behind the code: another line follows
  std::string_view text;
};
/// Empty when `line` (without its ending) is no reply line.
std::optional<ReplyLineParts> split_reply_line(std::string_view line);

/// Puts lines together to replies (RFC 5321 4.2.1). Copies the lines of a multi-line reply; a
/// single line is only pointed at. Owns what it keeps; recycle() gives large buffers back.
/// Not thread-safe.
class ReplyAssembler {
 public:
  /// Lines were taken, but not yet the last one.
  bool open() const { return count_ > 0 && !complete_; }
  /// A reply is at hand.
  bool complete() const { return complete_; }

  /// Takes a line. `end` is the stream offset behind it. False when the line does not look like a
  /// reply and no reply is open: then nothing was taken.
  bool add(const Line& line, std::uint64_t end);
  /// The reply, open or just completed by an unfinished line, is not whole.
  void cut();

  std::uint16_t code() const { return code_; }
  /// Stream offset behind the last line.
  std::uint64_t end() const { return end_; }
  bool was_cut() const { return cut_; }

  /// Fills in what the lines tell. The views live until the next add() or recycle().
  void describe(Reply& reply);
  /// The reply was dealt with; the next add() begins another.
  void conclude() {
    complete_ = false;
    count_ = 0;
  }

  /// What describe() gave is no longer looked at: large buffers go back.
  void recycle();

 private:
  void begin();
  void keep(const ReplyLine& line);

  ReplyLine single_;              // the first line, its text not copied
  std::vector<ReplyLine> lines_;  // copies, once there is a second line
  std::string text_;              // of lines_, one behind the other
  std::uint64_t count_ = 0;
  std::uint64_t end_ = 0;
  std::uint16_t code_ = 0;  // of the last line that had one
  std::uint16_t flags_ = 0;
  bool complete_ = false;
  bool cut_ = false;
  bool codes_differ_ = false;
};

}  // namespace smtpscope
