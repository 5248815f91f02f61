// Thunderbird's mailnews.smtp log: "C: " and "S: ", where all lines that one read brought come
// under one mark, and the place in its source behind them. Logins are left out.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

constexpr std::string_view kThunderbird = "mailnews.smtp";

/// " SmtpClient.sys.mjs:442:17": where in the source a line was written.
std::string_view without_place(std::string_view line) {
  std::size_t at = line.size();
  for (int numbers = 0; numbers < 2; ++numbers) {
    const std::size_t colon = line.substr(0, at).rfind(':');
    if (colon == std::string_view::npos || colon + 1 == at) return line;
    if (line.substr(colon + 1, at - colon - 1).find_first_not_of("0123456789") !=
        std::string_view::npos) {
      return line;
    }
    at = colon;
  }
  const std::string_view before = line.substr(0, at);
  if (!before.ends_with(".mjs") && !before.ends_with(".jsm") && !before.ends_with(".js"))
    return line;
  const std::size_t blank = before.rfind(' ');
  return blank == std::string_view::npos ? std::string_view() : line.substr(0, blank);
}

class ThunderbirdReader : public PastedReader {
 public:
  ThunderbirdReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "Thunderbird", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    line = without_place(without_stamp(line));
    const std::size_t at = line.find(kThunderbird);
    if (at == std::string_view::npos) {
      if (is_reply_line(line) && replying_) book_.say("", Side::kServer, line);
      return;
    }
    const std::size_t colon = line.find(": ", at);
    if (colon == std::string_view::npos) return;
    tell(line.substr(colon + 2));
  }

 private:
  void tell(std::string_view told) {
    std::string_view text;
    replying_ = false;
    if (take_mark(told, "S: ", text) || take_mark(told, "SERVER: ", text)) {
      replying_ = true;
      if (!text.empty()) book_.say("", Side::kServer, text);
    } else if (take_mark(told, "C: ", text) || take_mark(told, "Sending ", text)) {
      command(text);
    } else if (told.starts_with("Connecting to ")) {
      book_.announce("", server_in(told).value_or(""));
    } else if (take_mark(told, "Authentication via ", text)) {
      login_ = text;
    } else if (handshake_failed(told) || told.starts_with("SecurityError")) {
      book_.fail_handshake("", std::nullopt, told);
    }
  }

  void command(std::string_view text) {
    // "Sending 612 bytes of payload"
    if (text.find(" bytes of payload") != std::string_view::npos) return;
    if (text.find("ogging suppressed") == std::string_view::npos) {
      book_.say("", Side::kClient, text);
      return;
    }
    const LogSession* session = book_.find("");
    if (session != nullptr && session->secret_asked()) {
      book_.say("", Side::kClient, "********");
    } else {
      book_.say("", Side::kClient, login_.starts_with("AUTH") ? login_ + " ********" : "AUTH");
    }
  }

  bool replying_ = false;
  std::string login_;
};

bool recognises_thunderbird(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find(kThunderbird) != std::string_view::npos &&
           line.find(": ") != std::string_view::npos;
  });
}

}  // namespace

const LogKind kThunderbirdKind = {
    .name = "thunderbird",
    .description = "Thunderbird's log of SMTP",
    .how = "mailnews.smtp.loglevel = All in the config editor; it goes to the error console",
    .recognises = recognises_thunderbird,
    .make = make_log_reader<ThunderbirdReader>,
};

}  // namespace smtpscope
