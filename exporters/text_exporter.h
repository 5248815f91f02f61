#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "exporters/exporter.h"
#include "exporters/session_order.h"
#include "exporters/text_session.h"
#include "exporters/text_style.h"
#include "timeline/run_summary.h"

namespace smtpscope {

/// Timelines for people: one line per command or reply, annotations where they happened, a footer
/// that says how each session went. Streams: a line is out as soon as its event is known.
class TextExporter : public Exporter, private SessionRelease {
 public:
  TextExporter(const ExporterOptions& options, Output& output);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void sum_up(std::span<const FileTotals> files) override;
  void finish() override {}

 private:
  void release(SessionId session, std::string_view text, Piece piece) override;
  void write(std::string_view text);
  void show_gap_of_run(const TimelineEvent& event);
  std::string label(SessionId session) const;

  const ExporterOptions options_;
  const TextStyle style_;
  Output& output_;
  SessionOrder order_;
  std::map<SessionId, TextSession> open_;
  RunSummary summary_;  // of the run
  WallTime run_started_{};
  bool written_ = false;  // anything at all
};

}  // namespace smtpscope
