// smtp-cli --verbose: "> " the client, "[250] 'text'" a reply, its lines joined.

#include <fmt/format.h>

#include <string>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

/// "[220] 'mx.example.net ESMTP'"
bool is_cli_reply(std::string_view line) {
  return line.size() > 6 && line[0] == '[' && is_digit(line[1]) && is_digit(line[2]) &&
         is_digit(line[3]) && line[4] == ']' && line[5] == ' ' && line[6] == '\'';
}

class SmtpCliReader : public PastedReader {
 public:
  SmtpCliReader(LogRun& run, WallTime latest)
      : PastedReader(
            run, latest,
            {.client = "smtp-cli", .unknown = kPrintedWithoutMessages | kUnknownReplyLines}) {}

  void read_line(std::string_view line) override {
    std::string_view text;
    if (is_cli_reply(line)) {
      std::string_view said = line.substr(7);
      if (said.ends_with('\'')) said.remove_suffix(1);
      book_.say("", Side::kServer, fmt::format("{} {}", line.substr(1, 3), said));
    } else if (take_mark(line, "> ", text)) {
      book_.say("", Side::kClient, text);
    } else if (line.starts_with("Connection from ")) {
      book_.connected("", line.substr(std::min(line.rfind(" to ") + 4, line.size())),
                      between(line, "Connection from ", " to "));
    }
  }
};

bool recognises_smtp_cli(std::string_view text) {
  return any_line(text, [](std::string_view line) { return is_cli_reply(line); });
}

}  // namespace

const LogKind kSmtpCliKind = {
    .name = "smtp-cli",
    .description = "what smtp-cli prints",
    .how = "smtp-cli --verbose --server HOST ...",
    .recognises = recognises_smtp_cli,
    .make = make_log_reader<SmtpCliReader>,
};

}  // namespace smtpscope
