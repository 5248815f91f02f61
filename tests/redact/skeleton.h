#pragma once

#include <string>
#include <vector>

#include "timeline/event.h"

namespace smtpscope::test {

/// A timeline without what a redaction may change, texts and lengths: a line per event, for
/// comparing the timelines of a capture and of its redacted copy.
class Skeleton : public TimelineSink {
 public:
  void on_timeline(const TimelineEvent& event) override;
  const std::vector<std::string>& lines() const { return lines_; }
  std::string text() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace smtpscope::test
