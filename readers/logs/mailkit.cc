// MailKit's ProtocolLogger: "C: " and "S: ", everything with its mark, the message too.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class MailkitReader : public PastedReader {
 public:
  MailkitReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "MailKit", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    line = without_stamp(line);
    std::string_view text;
    if (take_mark(line, "C: ", text)) {
      book_.say("", Side::kClient, text);
    } else if (take_mark(line, "S: ", text)) {
      book_.say("", Side::kServer, text);
    } else if (line.starts_with("Connected to ")) {
      book_.connected("", server_in(line).value_or(""));
    } else if (line.find("has unexpectedly disconnected") < line.size()) {
      book_.close("", Side::kServer, line);
    }
  }
};

bool recognises_mailkit(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    const std::size_t at = line.find("Connected to smtp");
    return at != std::string_view::npos && line.find("://", at) < at + 20;
  });
}

}  // namespace

const LogKind kMailkitKind = {
    .name = "mailkit",
    .description = "what MailKit's ProtocolLogger writes",
    .how = "new SmtpClient(new ProtocolLogger(\"smtp.log\"))",
    .recognises = recognises_mailkit,
    .make = make_log_reader<MailkitReader>,
};

}  // namespace smtpscope
