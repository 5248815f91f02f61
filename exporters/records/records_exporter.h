#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/exporter.h"
#include "exporters/output.h"
#include "exporters/records/record_row.h"
#include "exporters/spooled_text.h"
#include "exporters/wanted_sessions.h"
#include "timeline/event.h"

namespace smtpscope {

/// Flat rows of four tables (exporters/records/record_table.h), for engines that join and add up.
/// A row is written when nothing more can change it, into the files of the hour in which that is:
/// an exchange with its reply, a transaction and a session when it ends, a finding when no later
/// one can fold it. The hour never goes back within a run, however late something comes.
///
/// Of a session the commands that are owed a reply are held, kMostOwed of them at most: what waits
/// longer is written as unanswered, and its reply, should it come, as a row without its command.
class RecordsExporter : public Exporter {
 public:
  static constexpr std::size_t kMostOwed = 256;

  /// `rows` must outlive this.
  RecordsExporter(const ExporterOptions& options, RowFiles& rows);
  ~RecordsExporter() override;

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override;
  std::optional<Error> fault() const override { return spool_.fault(); }

 private:
  struct Exchange;
  struct Finding;
  struct Session;

  Session& session_of(SessionId id);
  void on_entry(Session& session, const Entry& entry);
  void on_sent(Session& session, const Entry& entry);
  void on_reply(Session& session, const Entry& entry, const Reply& reply);
  void on_annotation(Session& session, const Annotation& annotation);
  void on_ended(Session& session, const TimelineSessionEnded& ended);
  void write_exchange(Session& session, const Exchange& exchange, const Entry* answer);
  void write_transaction(Session& session, const Transaction& transaction);
  void write_finding(Session& session, const Finding& finding);
  void write_session(const Session& session, const TimelineSessionEnded& ended);

  void begin(RecordRow& row, SessionId session);
  WallTime wall(Time time) const { return started_ + time.time_since_epoch(); }
  void set_hour(WallTime time);
  void put(const Session& session, RecordTable table, std::string_view row);
  void let_go(Session& session);

  const std::string host_;
  RowFiles& rows_;
  WantedSessions wanted_;
  Spool spool_;
  RecordRow sessions_row_, exchanges_row_, transactions_row_, findings_row_;
  std::map<SessionId, std::unique_ptr<Session>> open_;
  std::string run_;  // its UUID
  std::string tap_;
  WallTime started_{};
  std::uint64_t holes_ = 0;  // of the run: each concerns all sessions that are open
  std::string hour_;         // "2026-11-30T14"; "" before the first run
  std::int64_t hours_ = 0;   // since 1970
};

}  // namespace smtpscope
