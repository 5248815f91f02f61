#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace smtpscope {

/// What the captures of a run are called: a path, or one with the time in it
/// ("run-%Y%m%dT%H%M%S.smtpcap", as strftime() has it, in UTC so that names sort by time).
/// Immutable.
class CaptureName {
 public:
  /// Only what stands for a number of fixed length may follow a '%', so that the files can be found
  /// again: Y m d H M S j, and "%%". The folder has no pattern in it.
  static Result<CaptureName> parse(std::string_view text);

  bool is_pattern() const { return is_pattern_; }
  const std::string& text() const { return text_; }
  std::string folder() const;

  /// The path at that time. `again`: so many files of that name exist already, so that "-2" or more
  /// stands before its ending.
  std::string at(WallTime when, unsigned again = 0) const;
  /// The files of this pattern that are there, compressed or not, with their folder, in the order
  /// of the times in their names. Without a pattern, the file and what logrotate has made of such
  /// files ("run.smtpcap.1", "run.smtpcap.2.gz", "run.smtpcap-20261130"), in no order of time.
  std::vector<std::string> existing() const;

 private:
  /// What the names sort by in the order in which their files were begun; nothing for a file whose
  /// name, without its folder, is none of this pattern.
  std::optional<std::string> order_of(std::string_view file) const;
  bool is_renamed(std::string_view file) const;

  std::string text_;
  std::string stem_;    // with its folder, up to the ending
  std::string ending_;  // ".smtpcap", or ""
  bool is_pattern_ = false;
};

}  // namespace smtpscope
