#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "readers/text/label_lines.h"

namespace smtpscope {

/// What the transcripts that smtpscope writes begin with, behind "# ".
inline constexpr std::string_view kTranscriptHead = "smtpscope transcript 1 of ";

/// What was put around a text on its way from a terminal or a log into a file, found by looking at
/// its beginning, and how to take it off again: quotes ("> "), indentation, the names that docker
/// compose, grep and WebSphere put before each line, HTML, fences, backticks and forum tags, the
/// objects of JSON and the pairs of logfmt in which lines are kept; line ends that a browser lost;
/// and speakers that have lines of their own.
///
/// A plan is made once per file; then lines go through unwrap() one by one. Not thread-safe.
class PastePlan {
 public:
  PastePlan() = default;
  /// `beginning`: the first lines of the text.
  static PastePlan of(std::string_view beginning);

  /// The lines that `line` stands for: mostly one, none for a fence, several where <br> divides
  /// them. Valid until the next call.
  const std::vector<std::string_view>& unwrap(std::string_view line);

  /// The lines come newest first.
  bool newest_first() const { return newest_first_; }
  /// Nothing is to be done.
  bool plain() const;

  /// All of `text`, unwrapped, in its own order.
  std::string unwrapped(std::string_view text);

 private:
  void take_off(std::string_view line);
  void split_decoded();
  std::string_view without_wrapper(std::string_view line) const;

  bool json_ = false;
  bool logfmt_ = false;  // time="…" level=debug msg="…"
  bool html_ = false;
  bool fences_ = false;
  bool newest_first_ = false;
  bool service_names_ = false;  // "app-1  | "
  bool file_names_ = false;     // "mail.log:", "mail.log-12-"
  bool websphere_ = false;      // "[8/24/10 11:00:05:153 EDT] 0000002a SystemOut     O "
  bool codes_ = false;          // each line in backticks
  bool glued_ = false;          // a log whose line ends a browser has lost
  bool labelled_ = false;       // "SEND:" stands alone, and what is sent below it
  std::size_t quotes_ = 0;      // "> ", so many times
  std::size_t indentation_ = 0;
  std::string decoded_;
  LabelLines labels_;
  std::vector<std::string_view> lines_;
};

}  // namespace smtpscope
