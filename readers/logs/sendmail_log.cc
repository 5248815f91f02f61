// What Sendmail logs by syslog: what servers refused, and of deliveries that no connection came
// about for ("stat=Deferred: Connection refused by mx.example.net."). Nothing else of a session is
// in it.

#include <fmt/format.h>

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/log_syslog_line.h"
#include "readers/text/pasted_reader.h"
#include "readers/text/quoted_reply.h"

namespace smtpscope {
namespace {

bool is_sendmail(std::string_view program) {
  return program.starts_with("sm-") || program == "sendmail";
}

/// "…, relay=mx.example.net. [192.0.2.25], dsn=4.0.0, stat=Deferred: Connection timed out with
/// mx.example.net.": what stands behind stat=; "" if a connection came about.
std::string_view unreached_stat(std::string_view message) {
  const std::size_t at = message.find(", stat=");
  if (at == std::string_view::npos || message.find("to=") == std::string_view::npos) return {};
  const std::string_view stat = message.substr(at + 7);
  return says_unreachable(stat) ? stat : std::string_view();
}

/// What a server said, or with "dsn=5.1.1, stat=User unknown" what sendmail has made of it: the
/// code is that of the class (RFC 3463 2).
QuotedRefusal refusal_in_words(std::string_view message) {
  const std::size_t at = message.find(", stat=");
  if (at == std::string_view::npos) return {};
  QuotedRefusal refusal = QuotedRefusal::in(message, {});
  const std::string_view dsn = between(message, "dsn=", ",");
  const bool failed = dsn.starts_with("4.") || dsn.starts_with("5.");
  if (!refusal.lines.empty() || !failed) return refusal;
  refusal.lines.push_back(
      fmt::format("{} {} {}", dsn.front() == '5' ? 550 : 451, dsn, message.substr(at + 7)));
  refusal.command = fmt::format("RCPT TO:{}", between(message, "to=", ","));
  refusal.server = between(between(message, "relay=", ","), "[", "]");
  return refusal;
}

class SendmailLog : public PastedReader {
 public:
  SendmailLog(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "sendmail", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    const auto parsed = read_syslog_line(line, stamps_);
    if (!parsed || !is_sendmail(parsed->program)) return;
    const std::string_view stat = unreached_stat(parsed->message);
    if (stat.empty()) {
      // "stat=Deferred: 451 4.7.1 Greylisted": what the server said.
      const QuotedRefusal refusal = refusal_in_words(parsed->message);
      if (refusal.lines.empty()) return;
      book_.at(parsed->stamp);
      return refusal.tell(book_);
    }
    book_.at(parsed->stamp);
    // "mx.example.net. [192.0.2.25]"; without a port of its own.
    const std::string_view relay = between(parsed->message, "relay=", ",");
    std::string_view server = between(relay, " [", "]");
    if (server.empty()) server = relay.substr(0, relay.find(' '));
    if (server.ends_with('.')) server.remove_suffix(1);
    book_.announce("", server);
    book_.remark("", stat);
  }
};

bool recognises_sendmail_log(std::string_view text) {
  LogStamps stamps{WallTime{}};
  return any_line(text, [&](std::string_view line) {
    if (line.find(", stat=") == std::string_view::npos) return false;
    const auto parsed = read_syslog_line(line, stamps);
    return parsed && is_sendmail(parsed->program) &&
           (!unreached_stat(parsed->message).empty() ||
            !refusal_in_words(parsed->message).lines.empty());
  });
}

}  // namespace

const LogKind kSendmailLogKind = {
    .name = "sendmail-log",
    .description = "Sendmail's log, as far as it tells of deliveries that failed",
    .how = "grep QUEUE-ID /var/log/mail.log",
    .recognises = recognises_sendmail_log,
    .make = make_log_reader<SendmailLog>,
};

}  // namespace smtpscope
