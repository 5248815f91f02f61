#pragma once

#include <string>
#include <vector>

#include "timeline/event.h"

namespace smtpscope::test {

/// A timeline as plain text, a line per event, with every field that matters: for comparing two
/// timelines, and for reading when a test fails.
class TimelineDump : public TimelineSink {
 public:
  struct Line {
    std::string text;
    SessionId session = 0;
    std::size_t after = 0;  // how many wire events had happened
    // What expectations are compared with.
    std::string rule;  // Annotation, AnnotationFolded
    std::string severity;
    std::string variant;
    std::string folded_under;
    std::string party;  // Silence
    std::int64_t milliseconds = 0;
    std::uint64_t number = 0;  // of an annotation or a transaction
    std::string outcome;
    std::string cause;
    std::vector<std::string> verdict;
    std::string lead_cause;  // of the verdict's first line: the cause, or the reason
    std::string lead_side;
    std::vector<std::string> not_evaluated;  // rules
    bool annotation = false;
  };

  /// Without `reads` it does not matter how octets were cut into reads.
  explicit TimelineDump(bool reads = true) : reads_(reads) {}

  void on_timeline(const TimelineEvent& event) override;
  /// Another wire event happened.
  void next_event() { ++events_; }

  const std::vector<Line>& lines() const { return lines_; }
  std::string text() const;

 private:
  std::vector<Line> lines_;
  std::size_t events_ = 0;
  bool reads_;
};

}  // namespace smtpscope::test
