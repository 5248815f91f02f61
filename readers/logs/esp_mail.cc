// What the mail libraries of Arduino boards print, ESP Mail Client and its forerunner ESP32 Mail
// Client. The server's lines are there as they came, behind "< S: "; of the client's it says what
// they are for: "> C: send SMTP command, AUTH PLAIN", "> C: send message header". The status that
// a sketch prints stands between, often with the server's lines once more.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

constexpr std::string_view kEspClient = "> C: ";
constexpr std::string_view kEspServer = "< S: ";
constexpr std::string_view kEsp32Debug = "[DEBUG] - ";
constexpr std::string_view kEsp32Info = "INFO: ";

/// Behind the stamp of the serial monitor: "14:14:05.372 -> ".
std::string_view behind_serial_arrow(std::string_view line) {
  constexpr std::string_view kArrow = "-> ";
  return line.starts_with(kArrow) ? line.substr(kArrow.size()) : line;
}

/// What the client is about to do, in the library's words.
struct EspStep {
  std::string_view words;
  std::string_view command;  // that it sends for it
};
/// The envelope's commands and DATA go out without a word each, behind "message header".
constexpr std::string_view kEspEnvelope = "MAIL FROM:<***>";
constexpr std::array kEspSteps = {
    EspStep{"message header", kEspEnvelope},   EspStep{"email header", kEspEnvelope},
    EspStep{"message body", "DATA"},           EspStep{"email body", "DATA"},
    EspStep{"STARTTLS", "STARTTLS"},           EspStep{"AUTH LOGIN", "AUTH LOGIN"},
    EspStep{"AUTH PLAIN", "AUTH PLAIN"},       EspStep{"AUTH XOAUTH2", "AUTH XOAUTH2"},
    EspStep{"terminate the SMTP ses", "QUIT"},
};

class EspMailReader : public PastedReader {
 public:
  EspMailReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest,
                     {.client = "ESP Mail Client", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    line = behind_serial_arrow(without_stamp(line));
    std::string_view text;
    if (take_mark(line, kEspServer, text)) {
      server(text);
    } else if (take_mark(line, kEspClient, text)) {
      client(text, "EHLO ***");
    } else if (take_mark(line, kEsp32Debug, text)) {
      // One mark for both; the forerunner says HELO only. Ports may look like replies.
      const bool port = !server_.empty() && text.size() > 1 && text.size() <= 5 &&
                        std::all_of(text.begin(), text.end(), is_digit);
      if (port) return announce(text);
      if (is_reply_line(text)) return server(text);
      if (take_mark(text, kEsp32Info, text)) return client(text, "HELO ***");
      esp32_place(text);
    } else if (find_content(line).content == LineContent::kCommand && line.starts_with("EHLO ")) {
      hello(line);
    }
  }

 private:
  /// `hello`: the command that this library begins with, though it says HELO.
  void client(std::string_view text, std::string_view hello_command) {
    std::string_view rest;
    if (take_mark(text, "Host > ", rest)) {
      server_ = rest;
    } else if (take_mark(text, "Port > ", rest)) {
      announce(rest);
    } else if (text.find("HELO") < text.size() || text.find("EHLO") < text.size()) {
      hello(hello_command);
    } else {
      step(text);
    }
  }

  /// The forerunner prints host and port alone, one line each.
  void esp32_place(std::string_view text) {
    if (text.find(' ') == std::string_view::npos && text.find('.') < text.size()) server_ = text;
  }

  void announce(std::string_view port) {
    if (server_.empty()) return;
    book_.announce("", fmt::format("{}:{}", server_, port));
    server_.clear();
  }

  void step(std::string_view text) {
    for (const EspStep& each : kEspSteps) {
      if (text.find(each.words) == std::string_view::npos) continue;
      // What went before ended without a reply: the line that says so ended its session.
      if (book_.find("") == nullptr) return;
      envelope_ = each.command == kEspEnvelope;
      return book_.say("", Side::kClient, each.command);
    }
  }

  /// Some versions print the command itself behind what they say of it.
  void hello(std::string_view command) {
    if (book_.find("") == nullptr) return;
    envelope_ = false;
    const bool again = book_.find("")->last_speaker() == Side::kClient;
    if (!again) book_.say("", Side::kClient, command);
  }

  void server(std::string_view text) {
    text = trimmed_blanks(text);
    const LogSession* session = book_.find("");
    if (envelope_ && session != nullptr && session->all_answered() && !session->reply_open()) {
      // RCPT for each recipient, and DATA, of which nothing is said.
      book_.say("", Side::kClient, text.starts_with("354") ? "DATA" : "RCPT TO:<***>");
    }
    book_.say("", Side::kServer, text);
  }

  std::string server_;     // whose port follows
  bool envelope_ = false;  // its commands are being answered
};

bool recognises_esp_mail(std::string_view text) {
  LogStamps stamps{WallTime{}};
  bool server = false, client = false;
  return any_line(text, [&](std::string_view line) {
    if (const auto stamp = stamps.read_any(line)) {
      line = without_leading_blanks(line.substr(std::min(stamp->size, line.size())));
    }
    line = behind_serial_arrow(line);
    std::string_view rest;
    if (take_mark(line, kEsp32Debug, rest)) {
      client = client || rest.starts_with(kEsp32Info);
      server = server || is_reply_line(rest);
    } else if (take_mark(line, kEspServer, rest)) {
      server = server || is_reply_line(rest);
    } else if (take_mark(line, kEspClient, rest)) {
      // A command would be what was sent.
      client = client || rest.starts_with("send ") || rest.starts_with("Send ") ||
               rest.starts_with("connect");
    }
    return server && client;
  });
}

}  // namespace

const LogKind kEspMailKind = {
    .name = "esp-mail",
    .description = "what ESP Mail Client prints, of Arduino boards",
    .how = "smtp.debug(1), and the serial monitor",
    .recognises = recognises_esp_mail,
    .make = make_log_reader<EspMailReader>,
};

}  // namespace smtpscope
