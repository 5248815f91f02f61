#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/event.h"

namespace smtpscope {

/// What only the run itself knows, at the moment when it is asked.
struct RunGauges {
  std::uint64_t lost_events = 0;       // up to now, missing from the record
  std::uint64_t queued_octets = 0;     // for the tracer
  std::uint64_t unwritten_octets = 0;  // for the disk
  std::uint64_t resident_octets = 0;   // memory of the process
};

/// Counts what timelines tell, for Prometheus. No label holds an address, a name or a word that
/// came off the wire: each is one of a closed list, so the number of series is bounded. What comes
/// by a route that has a name is counted apart, with a label `route`. Timelines
/// come from one thread; text() may be called on any.
class RunMetrics : public TimelineSink {
 public:
  /// `ask` is called by text(), on its thread.
  /// `routes`: names of the routes of the run; an empty one has none.
  RunMetrics(std::string_view version, std::function<RunGauges()> ask,
             const std::vector<std::string>& routes = {""});
  ~RunMetrics() override;

  void on_timeline(const TimelineEvent& event) override;
  /// In Prometheus' text format, version 0.0.4.
  std::string text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
  std::function<RunGauges()> ask_;
};

}  // namespace smtpscope
