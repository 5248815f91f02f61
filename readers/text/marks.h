#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/side.h"
#include "readers/text/log_stamp.h"

namespace smtpscope {

/// Who says what stands behind a mark: "C:", "<--", "SERVER ->", "250 …" alone. Learnt from a text
/// by what stands behind each: replies are a server's, commands a client's, whatever the arrow
/// looks like. Not thread-safe.
class Marks {
 public:
  /// Of the lines of a text.
  static Marks learnt_from(std::string_view text);

  struct Found {
    std::optional<Side> side;  // empty: the mark stands before both
    std::string_view text;     // behind it
    std::size_t at = 0;        // the mark, in the line
  };
  /// The mark in `line`, whose stamp is taken off already; empty when there is none.
  std::optional<Found> find(std::string_view line) const;

  /// A mark, or nothing at all, stands for this side.
  bool knows(Side side) const;
  /// Lines of this side have a mark.
  bool marks(Side side) const { return marked_[index(side)] > 0; }
  /// Both speak in the text, often enough for a dialogue.
  bool make_a_dialogue() const;
  /// One clause about them, for whoever reads the timeline.
  std::string in_words() const;

 private:
  /// Marks of one word, or of two.
  static Marks learnt_from(std::string_view text, int words);
  void settle();

  struct Votes {
    std::size_t replies = 0;
    std::size_t commands = 0;
    std::optional<Side> side() const;
  };

  std::map<std::string, Votes, std::less<>> votes_;
  Votes bare_;
  std::size_t marked_[2] = {0, 0};
  bool greeting_ = false;  // one that says SMTP
  bool greeted_ = false, of_smtp_ = false, of_ftp_ = false;
};

}  // namespace smtpscope
