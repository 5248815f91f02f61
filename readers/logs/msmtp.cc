// msmtp --debug: "--> " the client, "<-- " the server, below a list of its settings. With
// PIPELINING it writes several commands, and stops reading at a refusal.

#include <fmt/format.h>

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class MsmtpReader : public PastedReader {
 public:
  MsmtpReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "msmtp", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    line = without_stamp(line);
    std::string_view text;
    if (take_mark(line, "--> ", text)) {
      book_.say("", Side::kClient, text);
    } else if (take_mark(line, "<-- ", text)) {
      book_.say("", Side::kServer, text);
      // With its errors in the same file they come first.
      if (!failure_.empty()) book_.fail_handshake("", std::nullopt, failure_);
      failure_.clear();
    } else if (take_mark(line, "host = ", text)) {
      host_ = text;
    } else if (take_mark(line, "port = ", text)) {
      book_.announce("", fmt::format("{}:{}", host_, text));
    } else if (line.starts_with("msmtp: ") && line.find("TLS") != std::string_view::npos &&
               line.find("fail") != std::string_view::npos) {
      book_.find("") != nullptr ? book_.fail_handshake("", std::nullopt, line)
                                : void(failure_ = line);
    }
  }

 private:
  std::string host_;
  std::string failure_;
};

/// Arrows are common: where "-->" stands before a greeting, somebody else drew them.
bool recognises_msmtp(std::string_view text) {
  bool replies = false;
  any_line(text, [&](std::string_view line) {
    replies = line.starts_with("<-- ") && is_reply_line(line.substr(4));
    return replies || line.starts_with("--> 220");
  });
  return replies;
}

}  // namespace

const LogKind kMsmtpKind = {
    .name = "msmtp",
    .description = "what msmtp --debug prints",
    .how = "msmtp --debug RECIPIENT <message >log.txt 2>&1",
    .recognises = recognises_msmtp,
    .make = make_log_reader<MsmtpReader>,
};

}  // namespace smtpscope
