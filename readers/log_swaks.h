#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "readers/log_reader.h"
#include "readers/log_run.h"
#include "readers/log_session.h"

namespace smtpscope {

/// The transcript that swaks prints: " -> EHLO ws1", "<-  250 mx.example", "<** 550 …" for
/// refusals, with ~ inside TLS, and its own words behind "===" and "***". All lines are there, the
/// message's too, and no times. Several transcripts may stand in one file.
class SwaksLog : public LogReader {
 public:
  static std::unique_ptr<LogReader> make(LogRun& run, WallTime latest) {
    return std::make_unique<SwaksLog>(run, latest);
  }
  SwaksLog(LogRun& run, WallTime latest) : run_(run), latest_(latest) {}

  void read(std::string_view line) override;
  void finish() override { session_.reset(); }

  static bool recognises(std::string_view beginning);

 private:
  LogSession& session(bool greeting);
  void end();

  LogRun& run_;
  WallTime latest_;
  std::string server_;  // that it tried last
  std::optional<LogSession> session_;
};

}  // namespace smtpscope
