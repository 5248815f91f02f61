// sendmail -v, and Heirloom mailx -v, which prints the same: ">>> " the client, replies as they
// come. The message is not shown.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class SendmailReader : public PastedReader {
 public:
  SendmailReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "sendmail", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    std::string_view text;
    if (take_mark(line, ">>> ", text)) {
      book_.say("", Side::kClient, text);
    } else if (is_reply_line(line)) {
      book_.say("", Side::kServer, line);
    } else if (const std::size_t at = line.find("Connecting to "); at != std::string_view::npos) {
      // "[192.0.2.25] port 25 via esmtp...", "mx.example.net. via relay..."
      std::string_view host = line.substr(at + 14);
      std::string_view port = between(host, " port ", " ");
      host = host.substr(0, host.find(' '));
      if (host.starts_with('[')) host = between(host, "[", "]");
      while (host.ends_with('.')) host.remove_suffix(1);
      std::string server(host);
      if (!port.empty()) server.append(":").append(port);
      book_.announce("", server);
    } else if (handshake_failed(line)) {
      book_.fail_handshake("", std::nullopt, line);
    }
  }
};

bool recognises_sendmail(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    const std::size_t at = line.find("Connecting to ");
    if (at == std::string_view::npos) return false;
    return (at >= 4 && line.substr(at - 4, 4) == "... " &&
            line.find(" via ") != std::string_view::npos) ||
           line.find(" . . . connected") != std::string_view::npos;
  });
}

}  // namespace

const LogKind kSendmailKind = {
    .name = "sendmail",
    .description = "what sendmail -v and Heirloom mailx -v print",
    .how = "sendmail -v RECIPIENT <message >log.txt 2>&1",
    .recognises = recognises_sendmail,
    .make = make_log_reader<SendmailReader>,
};

}  // namespace smtpscope
