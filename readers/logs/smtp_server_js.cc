// smtp-server for Node with logger: the same lines as nodemailer's, seen by the server. Only the
// first line of a reply has a mark; the message is counted.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/node_line.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class SmtpServerReader : public PastedReader {
 public:
  SmtpServerReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.server = "smtp-server", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    const std::string_view told = without_stamp(line);
    if (told.size() == line.size()) return;
    const auto parsed = read_node_line(told);
    if (!parsed || !parsed->session.starts_with('#')) return;
    const std::string_view key = parsed->session;
    std::string_view text;
    if (take_mark(parsed->text, "C: ", text)) {
      text.ends_with(" bytes of DATA>") ? book_.skip_message(key)
                                        : book_.say(key, Side::kClient, text);
    } else if (take_mark(parsed->text, "S: ", text)) {
      book_.say(key, Side::kServer, text);
    } else if (is_reply_line(parsed->text)) {
      book_.say(key, Side::kServer, parsed->text);
    } else if (take_mark(parsed->text, "Connection from ", text)) {
      book_.connected(key, "", text);
    } else if (parsed->text.starts_with("Connection closed to ")) {
      book_.end(key);
    }
  }
};

bool recognises_smtp_server_js(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    const auto parsed = read_stamped_node_line(line);
    return parsed && parsed->session.starts_with('#') && !parsed->level.empty();
  });
}

}  // namespace

const LogKind kSmtpServerKind = {
    .name = "smtp-server",
    .description = "what smtp-server for Node logs",
    .how = "new SMTPServer({..., logger: true})",
    .recognises = recognises_smtp_server_js,
    .make = make_log_reader<SmtpServerReader>,
};

}  // namespace smtpscope
