// openssl s_client: certificates, then what a terminal shows. With -starttls its own EHLO is
// hidden, and of the answer the last line comes up; a typed line that begins with R or Q is a
// command to itself.

#include <fmt/format.h>

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/bare_dialogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class SClientReader : public PastedReader {
 public:
  SClientReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest,
                     {.unknown = kPrintedWithoutMessages, .message_lines = MessageLines::kSome}),
        bare_(book_, {.takes_r_and_q = true}) {}

  void read_line(std::string_view line) override {
    const LogSession* session = book_.find("");
    if (session == nullptr && line.starts_with("250 ")) return;  // answers the hidden EHLO
    if (session == nullptr && line.find(" -connect ") != std::string_view::npos) {
      std::string_view server = line.substr(line.find(" -connect ") + 10);
      book_.announce_rest("", server.substr(0, server.find(' ')));
      return;
    }
    bare_.take(line);
  }
  void finish() override {
    bare_.finish();
    if (bare_.swallowed() > 0) {
      run_.note(
          fmt::format("{} command{} that began with R or Q went to s_client itself and never to "
                      "the server: type "
                      "them in small letters, or use -quiet",
                      bare_.swallowed(), bare_.swallowed() == 1 ? "" : "s"));
    }
    PastedReader::finish();
  }

 private:
  BareDialogue bare_;
};

bool recognises_s_client(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.starts_with("CONNECTED(0") || line.starts_with("verify return:") ||
           line.find("openssl s_client ") != std::string_view::npos;
  });
}

}  // namespace

const LogKind kSClientKind = {
    .name = "s_client",
    .description = "what a terminal shows of openssl s_client",
    .how = "openssl s_client -quiet -crlf -starttls smtp -connect HOST:587",
    .recognises = recognises_s_client,
    .make = make_log_reader<SClientReader>,
};

}  // namespace smtpscope
