// What a terminal shows of telnet and nc: what is typed and what comes back, without marks.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/bare_dialogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class TerminalReader : public PastedReader {
 public:
  TerminalReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest,
                     {.unknown = kPrintedWithoutMessages, .message_lines = MessageLines::kSome}),
        bare_(book_) {}

  void read_line(std::string_view line) override {
    const LogSession* session = book_.find("");
    const bool message = session != nullptr && session->sending_message();
    if (const auto server = message ? std::nullopt : server_in(line)) {
      if (session == nullptr || line.starts_with("Trying ")) book_.announce("", *server);
    } else if (closed_by_server(line)) {
      book_.close("", Side::kServer, line);
      book_.end("");
    } else {
      bare_.take(line);
    }
  }
  void finish() override {
    bare_.finish();
    PastedReader::finish();
  }

 private:
  BareDialogue bare_;
};

bool recognises_terminal(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find("Escape character is '^]'") != std::string_view::npos ||
           line.find("port [tcp/") != std::string_view::npos ||
           line.find("Connection closed by foreign host") != std::string_view::npos ||
           line.starts_with("Ncat: ");
  });
}

}  // namespace

const LogKind kTerminalKind = {
    .name = "terminal",
    .description = "what a terminal shows of telnet or nc",
    .how = "script -c \"telnet HOST 25\" log.txt",
    .recognises = recognises_terminal,
    .make = make_log_reader<TerminalReader>,
};

}  // namespace smtpscope
