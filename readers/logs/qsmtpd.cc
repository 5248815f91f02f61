// Qsmtpd in syslog: "> " and "< " seen from the server, ">e " and "<e " inside TLS.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/log_syslog_line.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

bool is_qsmtpd(std::string_view program) { return program == "Qsmtpd" || program == "qsmtpd"; }

class QsmtpdReader : public PastedReader {
 public:
  QsmtpdReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.server = "Qsmtpd", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    const auto syslog = read_syslog_line(line, stamps_);
    if (!syslog || !is_qsmtpd(syslog->program)) return;
    book_.at(syslog->stamp);
    std::string_view text;
    if (take_mark(syslog->message, "> ", text) || take_mark(syslog->message, ">e ", text)) {
      book_.say(syslog->process, Side::kServer, text);
    } else if (take_mark(syslog->message, "< ", text) || take_mark(syslog->message, "<e ", text)) {
      book_.say(syslog->process, Side::kClient, text);
    }
  }
};

bool recognises_qsmtpd(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    LogStamps stamps{WallTime{}};
    const auto syslog = read_syslog_line(line, stamps);
    return syslog && is_qsmtpd(syslog->program) &&
           (syslog->message.starts_with("> ") || syslog->message.starts_with("< "));
  });
}

}  // namespace

const LogKind kQsmtpdKind = {
    .name = "qsmtpd",
    .description = "Qsmtpd's log",
    .how = "Qsmtpd compiled with DEBUG_IO; it goes to syslog",
    .recognises = recognises_qsmtpd,
    .make = make_log_reader<QsmtpdReader>,
};

}  // namespace smtpscope
