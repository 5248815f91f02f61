// nodemailer with logger and debug: "[stamp] LEVEL [session] C: ...". Lines of the message have no
// mark.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/node_line.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class NodemailerReader : public PastedReader {
 public:
  NodemailerReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "nodemailer", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    const std::string_view told = without_stamp(line);
    if (told.size() == line.size()) return;
    const auto parsed = read_node_line(told);
    if (!parsed || parsed->session.empty()) return;
    const std::string_view key = parsed->session;
    std::string_view text;
    const LogSession* session = book_.find(key);
    if (session != nullptr && session->in_message() && parsed->level == "DEBUG" &&
        !parsed->text.starts_with("S: ")) {
      book_.say(key, Side::kClient, parsed->text);
    } else if (take_mark(parsed->text, "C: ", text)) {
      book_.say(key, Side::kClient, text);
    } else if (take_mark(parsed->text, "S: ", text)) {
      book_.say(key, Side::kServer, text);
    } else {
      remark(key, parsed->text);
    }
  }

 private:
  void remark(std::string_view key, std::string_view text) {
    std::string_view rest;
    if (take_mark(text, "Resolved ", rest)) {
      rest = rest.substr(std::min(rest.find(" as "), rest.size()));
      book_.announce(key, rest.size() > 4 ? rest.substr(4, rest.find(' ', 4) - 4) : rest);
    } else if (take_mark(text, "Connection established to ", rest) ||
               take_mark(text, "Secure connection established to ", rest)) {
      book_.connected(key, rest);
    } else if (text.starts_with("Connection closed unexpectedly")) {
      book_.close(key, Side::kServer, text);
    } else if (text == "Connection closed") {
      book_.end(key);
    } else if (handshake_failed(text)) {
      if (book_.find(key) == nullptr) book_.connected(key, "");
      book_.fail_handshake(key, std::nullopt, text);
    } else {
      book_.remark(key, text);
    }
  }
};

bool recognises_nodemailer(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    const auto parsed = read_stamped_node_line(line);
    return parsed && !parsed->session.empty() && !parsed->session.starts_with('#') &&
           (parsed->text.starts_with("S: ") || parsed->text.starts_with("C: ") ||
            parsed->text.starts_with("Resolved ") ||
            parsed->text.starts_with("Connection established"));
  });
}

}  // namespace

const LogKind kNodemailerKind = {
    .name = "nodemailer",
    .description = "what nodemailer logs",
    .how = "nodemailer.createTransport({..., logger: true, debug: true})",
    .recognises = recognises_nodemailer,
    .make = make_log_reader<NodemailerReader>,
};

}  // namespace smtpscope
