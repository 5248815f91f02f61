// What a terminal shows of telnet and nc: what is typed and what comes back, without marks.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"
#include "readers/text/terminal_dialogue.h"

namespace smtpscope {
namespace {

class TerminalReader : public PastedReader {
 public:
  TerminalReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, kTypedTraits), terminal_(book_) {}

  void read_line(std::string_view line) override { terminal_.take(line); }
  void finish() override {
    terminal_.finish();
    PastedReader::finish();
  }

 private:
  TerminalDialogue terminal_;
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
