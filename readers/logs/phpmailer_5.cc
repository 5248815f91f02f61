// PHPMailer before 5.2.7, which prints what the server says and hardly a word of its own: "SMTP ->
// FROM SERVER:220 …", line ends lost where a browser showed it, and with a higher level each line
// as it came: "SMTP -> get_lines(): $str is "250-SIZE …"". What it does not print of a login it
// says when that fails: "SMTP -> ERROR: Password not accepted from server: 535 …".

#include <array>
#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

constexpr std::string_view kPhpReply = "SMTP -> FROM SERVER:";
constexpr std::string_view kPhpReplyLine = "SMTP -> get_lines(): $str is \"";
constexpr std::string_view kPhpError = "SMTP -> ERROR: ";
constexpr std::string_view kPhpRefused = " not accepted from server:";

class Phpmailer5Reader : public PastedReader {
 public:
  Phpmailer5Reader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "PHPMailer", .unknown = kPrintedWithoutMessages}) {
    book_.hide(Side::kClient);
  }

  void read_line(std::string_view line) override {
    line = without_leading_blanks(without_stamp(line));
    std::string_view text;
    if (take_mark(line, kPhpReplyLine, text)) {
      by_lines_ = true;
      book_.say("", Side::kServer, trimmed_blanks(text.substr(0, text.rfind('"'))));
    } else if (take_mark(line, kPhpReply, text)) {
      if (!by_lines_) reply(trimmed_blanks(text));
    } else if (take_mark(line, kPhpError, text)) {
      const std::size_t at = text.find(kPhpRefused);
      if (at < text.size() && !by_lines_) refused(text.substr(0, at), text.substr(at));
    } else if (book_.find("") != nullptr && book_.find("")->reply_open() && is_reply_line(line)) {
      book_.say("", Side::kServer, line);
    }
  }

 private:
  void reply(std::string_view text) {
    last_ = text;
    for (const std::string_view each : unglued_reply(text, /*blanks=*/true)) {
      book_.say("", Side::kServer, trimmed_blanks(each));
    }
  }

  /// Of most commands it has printed the reply already.
  void refused(std::string_view what, std::string_view words) {
    words = trimmed_blanks(words.substr(kPhpRefused.size()));
    if (words == last_ || !is_reply_line(words)) return;
    constexpr std::array<std::string_view, 3> kOfLogin = {"AUTH", "Username", "Password"};
    for (const std::string_view each : kOfLogin) {
      if (what == each) book_.say("", Side::kClient, "AUTH LOGIN");
    }
    reply(words);
  }

  std::string last_;
  bool by_lines_ = false;
};

bool recognises_phpmailer_5(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find(kPhpReply) != std::string_view::npos ||
           line.find(kPhpReplyLine) != std::string_view::npos;
  });
}

}  // namespace

const LogKind kPhpmailer5Kind = {
    .name = "phpmailer-5",
    .description = "what PHPMailer printed before version 5.2.7",
    .how = "$mail->SMTPDebug = 4; a newer version prints its commands, too",
    .recognises = recognises_phpmailer_5,
    .make = make_log_reader<Phpmailer5Reader>,
};

}  // namespace smtpscope
