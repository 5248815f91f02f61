#pragma once

#include <string_view>

#include "exporters/exporter.h"
#include "exporters/json_writer.h"
#include "exporters/session_order.h"
#include "exporters/wanted_sessions.h"
#include "timeline/verdict/run_summary.h"

namespace smtpscope {

/// JSON Lines: one record per event as it comes, each written in one piece, so that a reader that
/// follows the output never waits for the rest of one.
class JsonlExporter : public Exporter, private SessionRelease {
 public:
  JsonlExporter(const ExporterOptions& options, Output& output);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override {}

 private:
  void release(SessionId session, std::string_view text, Piece piece) override;

  const ExporterOptions options_;
  Output& output_;
  SessionOrder order_;
  WantedSessions wanted_;
  RunSummary summary_;  // of the run
  JsonWriter record_;   // the one being written
  WallTime run_started_{};
};

}  // namespace smtpscope
