#pragma once

#include <map>
#include <set>

#include "exporters/exporter.h"
#include "exporters/html/stream_octets.h"
#include "exporters/json/jsonl_exporter.h"
#include "exporters/wanted_sessions.h"

namespace smtpscope {

/// What the page is told of runs, a record to a line: those of the jsonl format, and behind the
/// last of a session its octets, if on_record() is called; earlier where write_open() is.
class PageRecords : public Exporter {
 public:
  /// Octets of all open sessions together; what is beyond is not kept.
  static constexpr std::size_t kMostHeld = std::size_t{16} * 1024 * 1024;

  /// The filter of `options` and `output` must outlive this.
  PageRecords(const ExporterOptions& options, Output& output);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void on_record(const WireEvent& event) override;
  /// The octets of open sessions as far as they have come.
  void write_open();
  void end_run() override;
  void finish() override {}

 private:
  struct Open {
    StreamOctets octets;
    std::size_t held = 0;
  };

  void write_octets(SessionId session, Open& open);

  Output& output_;
  WantedSessions asked_for_;
  JsonlExporter records_;
  std::map<SessionId, Open> open_;
  std::size_t held_ = 0;        // octets, of them
  std::set<SessionId> wanted_;  // of those open, if not all are
};

}  // namespace smtpscope
