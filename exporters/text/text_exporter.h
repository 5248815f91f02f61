#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "exporters/exporter.h"
#include "exporters/session_order.h"
#include "exporters/text/text_session.h"
#include "exporters/text/text_style.h"
#include "exporters/wanted_sessions.h"
#include "timeline/verdict/run_summary.h"

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

  /// An event of a session that is shown elsewhere: it counts for the table at the end.
  void count(const TimelineEvent& event) { summary_.on_timeline(event); }
  /// From here on the sessions that are open now are named in each of their lines.
  void label_open();

 private:
  void release(SessionId session, std::string_view text, Piece piece) override;
  void write(std::string_view text);
  void show_gap_of_run(const TimelineEvent& event);
  std::string label(SessionId session);

  const ExporterOptions options_;
  const TextStyle style_;
  Output& output_;
  SessionOrder order_;
  WantedSessions wanted_;
  std::map<SessionId, TextSession> open_;
  std::set<SessionId> labelled_;  // of those open; a label once given stays
  RunSummary summary_;            // of the run
  WallTime run_started_{};
  bool written_ = false;  // anything at all
};

}  // namespace smtpscope
