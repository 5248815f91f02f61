// MDaemon: "--> " and "<-- " behind a stamp. The arrow is seen from the program, which is the
// server in SMTP-(in) and the client in SMTP-(out): what is said first shows which.

#include <optional>
#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class MdaemonReader : public PastedReader {
 public:
  MdaemonReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    std::string_view text = without_stamp(line);
    if (text.starts_with(':')) text = without_leading_blanks(text.substr(1));
    std::string_view said;
    if (take_mark(text, "--> ", said)) {
      say(/*sent=*/true, said);
    } else if (take_mark(text, "<-- ", said)) {
      say(/*sent=*/false, said);
    } else if (text.starts_with("Accepting SMTP connection from [")) {
      std::string_view server = text.substr(std::min(text.find("] to ["), text.size()));
      book_.connected("", between(server, "to [", "]"), between(text, "from [", "]"));
      serves_ = true;
      connecting_ = true;
    } else if (text.starts_with("Attempting SMTP connection to [")) {
      book_.announce("", between(text, "to [", "]"), "MDaemon");
      connecting_ = true;
    } else if (text.starts_with("SMTP session ") || text.starts_with("----------")) {
      book_.end("");
      serves_.reset();
      connecting_ = false;
    }
  }

 private:
  void say(bool sent, std::string_view text) {
    if (!serves_) {
      serves_ = sent == is_reply_line(text);
      if (!connecting_)
        *serves_ ? book_.announce("", "MDaemon") : book_.announce("", "", "MDaemon");
    }
    book_.say("", sent == *serves_ ? Side::kServer : Side::kClient, text);
  }

  std::optional<bool> serves_;
  bool connecting_ = false;  // the server is named
};

bool recognises_mdaemon(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    LogStamps stamps{WallTime{}};
    const auto stamp = stamps.read_any(line);
    if (!stamp || stamp->size >= line.size()) return false;
    const std::string_view behind = line.substr(stamp->size);
    return behind.starts_with(": --> ") || behind.starts_with(": <-- ") ||
           behind.starts_with(": Accepting SMTP connection from [");
  });
}

}  // namespace

const LogKind kMdaemonKind = {
    .name = "mdaemon",
    .description = "MDaemon's SMTP logs",
    .how =
        "Setup, Logging: log SMTP activity in detail; the files are MDaemon\\Logs\\*-SMTP-(in).log",
    .recognises = recognises_mdaemon,
    .make = make_log_reader<MdaemonReader>,
};

}  // namespace smtpscope
