// Python's smtplib with set_debuglevel(1) or (2): "send: 'ehlo x\r\n'" and "reply: b'250 ok\r\n'",
// literals of the language. Summaries repeat a reply; the message is one literal.

#include <fmt/format.h>

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/literal.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class SmtplibReader : public PastedReader {
 public:
  SmtplibReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "smtplib", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    line = without_stamp(line);
    std::string_view text;
    if (take_mark(line, "connect: to (", text)) {
      const std::string_view host = between(text, "'", "'");
      const std::string_view port = between(text, ", ", ")");
      book_.announce("", host.empty() ? std::string() : fmt::format("{}:{}", host, port));
    } else if (take_mark(line, "send: ", text)) {
      if (!read_literal(text, octets_)) return;
      each_text_line(octets_, [&](std::string_view each) { book_.say("", Side::kClient, each); });
    } else if (take_mark(line, "reply: ", text)) {
      if (!read_literal(text, octets_)) return;
      each_text_line(octets_, [&](std::string_view each) { book_.say("", Side::kServer, each); });
    } else if (line.find("SMTPServerDisconnected: ") != std::string_view::npos) {
      book_.close("", Side::kServer, line);
    } else if (line.starts_with("ssl.") && handshake_failed(line)) {
      book_.fail_handshake("", std::nullopt, line);
    }
  }

 private:
  std::string octets_;
};

bool recognises_smtplib(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    if (line.starts_with("connect: to ('")) return true;
    const std::size_t reply = line.find("reply: ");
    if (reply == std::string_view::npos) return false;
    const std::string_view behind = line.substr(reply + 7);
    return behind.starts_with("retcode (") || behind.starts_with("b'") ||
           behind.starts_with("b\"") ||
           (behind.starts_with('\'') && is_reply_line(behind.substr(1)));
  });
}

}  // namespace

const LogKind kSmtplibKind = {
    .name = "smtplib",
    .description = "what Python's smtplib prints",
    .how = "smtp.set_debuglevel(1), or (2) for times; it goes to standard error",
    .recognises = recognises_smtplib,
    .make = make_log_reader<SmtplibReader>,
};

}  // namespace smtpscope
