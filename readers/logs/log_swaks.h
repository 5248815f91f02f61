#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "readers/text/foreign_lines.h"
#include "readers/text/log_reader.h"
#include "readers/text/log_run.h"
#include "readers/text/log_session.h"

namespace smtpscope {

/// The transcript that swaks prints: " -> EHLO ws1", "<-  250 mx.example", "<** 550 …" for
/// refusals, with ~ inside TLS, and its own words behind "===" and "***". All lines are there, the
/// message's too, and no times. Several transcripts may stand in one file.
class SwaksLog : public LogReader {
 public:
  static std::unique_ptr<LogReader> make(LogRun& run, WallTime latest) {
    return std::make_unique<SwaksLog>(run, latest);
  }
  SwaksLog(LogRun& run, WallTime latest) : run_(run), latest_(latest), foreign_(run, latest) {}

  void read(std::string_view line) override;
  void finish() override {
    foreign_.finish();
    end();
  }

  static bool recognises(std::string_view beginning);

 private:
  /// False: swaks prints no such line.
  bool read_line(std::string_view line);
  LogSession& session(bool greeting);
  void end();
  void error(std::string_view text, Time now);

  LogRun& run_;
  WallTime latest_;
  std::string server_;        // that it tried last
  bool unconnected_ = false;  // the next line says why
  std::optional<LogSession> session_;
  ForeignLines foreign_;
};

}  // namespace smtpscope
