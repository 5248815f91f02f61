#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "exporters/exporter.h"
#include "exporters/output.h"
#include "exporters/records/record_row.h"
#include "exporters/records/run_rows.h"
#include "exporters/spooled_text.h"
#include "exporters/wanted_sessions.h"
#include "timeline/event.h"

namespace smtpscope {

/// Flat rows of four tables (exporters/records/run_rows.h), for engines that join and add up, into
/// the files of the hour in which each is made. The hour never goes back within a run, however late
/// something comes.
class RecordsExporter : public Exporter, private RowTaker {
 public:
  /// `rows` must outlive this.
  RecordsExporter(const ExporterOptions& options, RowFiles& rows);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override;
  std::optional<Error> fault() const override { return spool_.fault(); }

 private:
  RowWriter& begin_row(RecordTable table, SessionId session) override;
  void end_row(RecordTable table, SessionId session) override;
  std::uint64_t lost_rows() const override { return rows_.lost(); }
  void set_hour(WallTime time);
  void let_go(SessionId session);

  const std::string host_;
  RowFiles& rows_;
  WantedSessions wanted_;
  Spool spool_;
  std::array<RecordRow, kRecordTables> row_;  // by RecordTable
  RunRows run_rows_;
  /// Rows of open sessions that may not be wanted; nothing once they are.
  std::map<SessionId, std::optional<SpooledText>> held_;
  std::string run_;  // its UUID
  std::string tap_;
  WallTime started_{};
  std::string hour_;        // "2026-11-30T14"; "" before the first run
  std::int64_t hours_ = 0;  // since 1970
};

}  // namespace smtpscope
