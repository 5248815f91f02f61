#pragma once

#include <memory>
#include <string_view>

#include "readers/logs/postfix_delivery.h"
#include "readers/logs/postfix_smtp.h"
#include "readers/logs/postfix_smtpd.h"
#include "readers/text/foreign_lines.h"
#include "readers/text/log_reader.h"
#include "readers/text/log_run.h"
#include "readers/text/log_stamp.h"

namespace smtpscope {

/// The log of Postfix: what its smtpd tells of clients, and its smtp and lmtp of servers, among
/// much else.
class PostfixLog : public LogReader {
 public:
  static std::unique_ptr<LogReader> make(LogRun& run, WallTime latest) {
    return std::make_unique<PostfixLog>(run, latest);
  }
  PostfixLog(LogRun& run, WallTime latest)
      : run_(run),
        stamps_(latest),
        smtpd_(run),
        smtp_(run, latest),
        delivery_(run, latest),
        foreign_(run, latest) {}

  void read(std::string_view line) override;
  void finish() override;

  /// A line of `beginning` shows a connection.
  static bool recognises(std::string_view beginning);
  /// One tells that a server could not be reached, or what it refused.
  static bool recognises_deliveries(std::string_view beginning);

 private:
  LogRun& run_;
  LogStamps stamps_;
  PostfixSmtpd smtpd_;
  PostfixSmtp smtp_;
  PostfixDelivery delivery_;
  ForeignLines foreign_;
};

}  // namespace smtpscope
