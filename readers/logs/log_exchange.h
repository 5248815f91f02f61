#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "readers/text/foreign_lines.h"
#include "readers/text/log_reader.h"
#include "readers/text/log_run.h"
#include "readers/text/log_stamp.h"
#include "readers/text/log_table.h"

namespace smtpscope {

/// The protocol logs of Exchange: comma-separated values, their columns named in a line "#Fields:",
/// one row per line of the dialogue (event "<" received, ">" sent), connection ("+", "-") or remark
/// ("*"). In the log of a Send connector Exchange is the client. Sessions have ids. Times are in
/// UTC, to the millisecond. Messages are not logged, nor what answers a 334; the reply to EHLO
/// often is one row, which is taken apart at the keywords that are known.
class ExchangeLog : public LogReader {
 public:
  static std::unique_ptr<LogReader> make(LogRun& run, WallTime latest) {
    return std::make_unique<ExchangeLog>(run, latest);
  }
  ExchangeLog(LogRun& run, WallTime latest)
      : run_(run), stamps_(latest), sessions_(run), foreign_(run, latest) {}

  void read(std::string_view line) override;
  void finish() override {
    foreign_.finish();
    sessions_.forget_all();
  }

  static bool recognises(std::string_view beginning);

 private:
  /// The columns that are looked at.
  enum Column : std::size_t { kTime, kSession, kLocal, kRemote, kEvent, kData, kContext, kColumns };
  using Row = std::string[kColumns];

  void read_header(std::string_view line);
  bool read_row(std::string_view line);
  void tell(Time now, Duration resolution);
  LogSession& open(Time now, Duration resolution, bool mid_session);
  void remark(LogSession& session, Time now);
  void say(LogSession& session, Side from, Time now);

  LogRun& run_;
  LogStamps stamps_;
  LogTable sessions_;
  std::vector<std::optional<Column>> columns_;  // by place in the row; empty without "#Fields:"
  std::optional<Side> exchange_;                // whose part it plays, from "#Log-type:"
  Row row_;
  /// When sessions began of which nothing was said yet, as long as nobody knows whose part Exchange
  /// plays: it shows with the first line of a dialogue.
  std::unordered_map<std::string, Time> begun_;
  ForeignLines foreign_;
  std::string hello_session_;  // whose EHLO has no reply yet; said last
};

}  // namespace smtpscope
