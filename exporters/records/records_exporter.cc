#include "exporters/records/records_exporter.h"

#include <chrono>
#include <limits>
#include <string_view>
#include <utility>
#include <variant>

#include "capture/wall_time.h"
#include "exporters/records/run_id.h"

namespace smtpscope {

RecordsExporter::RecordsExporter(const ExporterOptions& options, RowFiles& rows)
    : host_(options.host),
      rows_(rows),
      wanted_(options),
      row_{RecordRow(RecordTable::kSessions, options.pseudonyms),
           RecordRow(RecordTable::kExchanges, options.pseudonyms),
           RecordRow(RecordTable::kTransactions, options.pseudonyms),
           RecordRow(RecordTable::kFindings, options.pseudonyms)},
      run_rows_(*this) {}

void RecordsExporter::begin_run(const RunInfo& run) {
  wanted_.begin_run(run.started);
  run_rows_.begin_run(run.started);
  run_ = run_id(run, host_);
  tap_ = run.tap;
  started_ = run.started;
  hours_ = std::numeric_limits<std::int64_t>::min();
  set_hour(run.started);
}

void RecordsExporter::set_hour(WallTime time) {
  const std::int64_t hours =
      std::chrono::floor<std::chrono::hours>(time.time_since_epoch()).count();
  if (hours <= hours_) return;
  hours_ = hours;
  constexpr std::size_t kHour = 13;  // "2026-11-30T14"
  std::string hour = format_wall_time(time).substr(0, kHour);
  if (hour == hour_) return;
  if (!hour_.empty()) rows_.complete(hour_);
  hour_ = std::move(hour);
}

void RecordsExporter::on_timeline(const TimelineEvent& event) {
  set_hour(started_ + event.time.time_since_epoch());
  run_rows_.on_timeline(event);
  if (wanted_.on_timeline(event)) let_go(event.session);
  if (std::holds_alternative<TimelineSessionEnded>(event.body)) held_.erase(event.session);
}

RowWriter& RecordsExporter::begin_row(RecordTable table, SessionId session) {
  RecordRow& row = row_.at(static_cast<std::size_t>(table));
  row.begin(run_, host_, tap_, session);
  return row;
}

void RecordsExporter::end_row(RecordTable table, SessionId session) {
  const std::string_view row = row_.at(static_cast<std::size_t>(table)).end();
  if (!wanted_.all()) {
    const auto [at, is_new] = held_.try_emplace(session);
    if (is_new) at->second.emplace(spool_);
    if (at->second) {
      const char which = static_cast<char>('0' + static_cast<int>(table));
      at->second->add(std::string_view(&which, 1));
      at->second->add(row);
      return;
    }
  }
  rows_.append(words_of(table).name, hour_, row);
}

/// The session is wanted: what was held of it, and from now on all that comes.
void RecordsExporter::let_go(SessionId session) {
  std::optional<SpooledText>& held = held_[session];
  if (!held) return;
  std::string rows;
  held->read([&](std::string_view piece) { rows += piece; });
  held.reset();
  for (std::size_t at = 0; at < rows.size();) {
    const std::size_t end = rows.find('\n', at) + 1;
    const auto table = static_cast<RecordTable>(rows[at] - '0');
    rows_.append(words_of(table).name, hour_, std::string_view(rows).substr(at + 1, end - at - 1));
    at = end;
  }
}

void RecordsExporter::end_run() {
  for (const SessionId session : wanted_.end_run()) let_go(session);
  held_.clear();
  run_rows_.end_run();
}

void RecordsExporter::finish() {
  if (!hour_.empty()) rows_.complete(hour_);
  hour_.clear();
}

}  // namespace smtpscope
