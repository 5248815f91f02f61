#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "timeline/event.h"

namespace smtpscope::test {

/// Checks what holds for the timeline of every session, as it goes. The first violation is kept in
/// words.
class TimelineChecker : public TimelineSink {
 public:
  std::string violation;
  std::uint64_t entries = 0;
  std::uint64_t annotations = 0;
  bool ended = false;

  void on_timeline(const TimelineEvent& event) override;

 private:
  void fail(const std::string& what);
  void check(const Entry& entry);
  void check(const Silence& silence);
  void check(const Annotation& annotation);
  void check(const AnnotationFolded& folded);
  void check(const TransactionEnded& ended_transaction);
  void check(const TimelineGap& gap);
  void check(const TimelineSessionEnded& ended_session);
  template <typename Other>
  void check(const Other&) {}

  Time last_;
  std::set<std::uint64_t> begun_, gone_, folded_, lost_;
  std::uint64_t outcomes_ = 0;
  bool holes_ = false;
};

}  // namespace smtpscope::test
