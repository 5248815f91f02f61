// FakeSMTP, with SubEtha inside: "10:41:12 AM - Server: " and "Client: "; further lines of a reply
// are bare. Answers to 334 and messages are not there.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class FakesmtpReader : public PastedReader {
 public:
  FakesmtpReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.server = "FakeSMTP", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    std::string_view text = without_stamp(line);
    if (text.starts_with("- ")) text.remove_prefix(2);
    std::string_view said;
    if (take_mark(text, "Server: ", said)) {
      book_.say("", Side::kServer, said);
    } else if (take_mark(text, "Client: ", said)) {
      book_.say("", Side::kClient, said);
    } else if (take_mark(text, "SMTP connection from ", said)) {
      std::string_view peer = said.substr(0, said.find(','));
      peer.remove_prefix(std::min(peer.find('/') + 1, peer.size()));
      book_.connected("", "", peer);
    } else if (is_reply_line(line) && book_.find("") != nullptr) {
      book_.say("", Side::kServer, line);
    }
  }
};

bool recognises_fakesmtp(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find(" - Server: ") != std::string_view::npos ||
           line.find("SubEthaSMTP") != std::string_view::npos ||
           line.find(" - SMTP connection from ") != std::string_view::npos;
  });
}

}  // namespace

const LogKind kFakesmtpKind = {
    .name = "fakesmtp",
    .description = "FakeSMTP's log",
    .how = "the tab \\\"SMTP log\\\" of its window",
    .recognises = recognises_fakesmtp,
    .make = make_log_reader<FakesmtpReader>,
};

}  // namespace smtpscope
