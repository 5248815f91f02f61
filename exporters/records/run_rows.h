#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string_view>

#include "exporters/records/row_writer.h"
#include "timeline/event.h"

namespace smtpscope {

/// Makes the rows of four tables (exporters/records/record_table.h) of a run's timelines: each when
/// nothing more can change it, an exchange with its reply, a transaction and a session when it
/// ends, a finding when no later one can fold it. The row of a session is its last.
///
/// Of a session the commands that are owed a reply are held, kMostOwed of them at most: what waits
/// longer is written as unanswered, and its reply, should it come, as a row without its command.
class RunRows : public TimelineSink {
 public:
  static constexpr std::size_t kMostOwed = 256;

  /// `taker` must outlive this.
  explicit RunRows(RowTaker& taker);
  ~RunRows() override;

  /// `started` is Time zero of the events that follow.
  void begin_run(WallTime started);
  void on_timeline(const TimelineEvent& event) override;
  /// Forgets the sessions that go on.
  void end_run();

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
  WallTime wall(Time time) const { return started_ + time.time_since_epoch(); }

  RowTaker& taker_;
  std::map<SessionId, std::unique_ptr<Session>> open_;
  WallTime started_{};
  std::uint64_t holes_ = 0;  // of the run: each concerns all sessions that are open
};

}  // namespace smtpscope
