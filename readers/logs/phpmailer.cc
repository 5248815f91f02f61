// PHPMailer with SMTPDebug: "CLIENT -> SERVER: " and "SERVER -> CLIENT: ", further lines of a reply
// behind a tab, or glued where HTML had eaten their ends. What it says of its own repeats replies.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

constexpr std::string_view kPhpServer = "SERVER -> CLIENT:";
constexpr std::string_view kPhpClient = "CLIENT -> SERVER:";

class PhpmailerReader : public PastedReader {
 public:
  PhpmailerReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "PHPMailer", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    line = without_stamp(line);
    if (const std::size_t at = line.find(kPhpClient); at < kLongestHead) {
      book_.say("", Side::kClient, behind(line, at + kPhpClient.size()));
      return;
    }
    if (const std::size_t at = line.find(kPhpServer); at < kLongestHead) {
      const std::string_view text = behind(line, at + kPhpServer.size());
      // Nothing came. Records of TLS in the place of a reply are no reply.
      if (text.empty()) return;
      is_reply_line(text) ? book_.say("", Side::kServer, text) : odd_reply(text);
      return;
    }
    const std::string_view text = without_leading_blanks(line);
    const LogSession* session = book_.find("");
    if (is_reply_line(text) && session != nullptr && session->reply_open()) {
      book_.say("", Side::kServer, text);
    } else {
      remark(text);
    }
  }

 private:
  static constexpr std::size_t kLongestHead = 80;

  static std::string_view behind(std::string_view line, std::size_t at) {
    line.remove_prefix(at);
    if (line.starts_with(' ')) line.remove_prefix(1);
    return line;
  }

  void odd_reply(std::string_view text) {
    const LogSession* session = book_.find("");
    const bool behind_starttls = session != nullptr && session->last_verb() == "STARTTLS";
    behind_starttls
        ? book_.fail_handshake("", std::nullopt, "what came in place of a reply is none")
        : book_.say("", Side::kServer, text);
  }

  void remark(std::string_view text) {
    std::string_view rest;
    if (take_mark(text, "Connection: opening to ", rest)) {
      const std::string_view server = rest.substr(0, rest.find(','));
      const std::size_t scheme = server.find("://");
      book_.announce("", scheme == std::string_view::npos ? server : server.substr(scheme + 3));
    } else if (text.starts_with("Connection: opened")) {
      book_.connected("", "");
    } else if (text.find("EOF caught while checking if connected") != std::string_view::npos) {
      book_.close("", Side::kServer, text);
    } else if (handshake_failed(text) ||
               text.find("stream_socket_enable_crypto()") != std::string_view::npos) {
      book_.fail_handshake("", std::nullopt, text);
    }
  }
};

bool recognises_phpmailer(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find(kPhpServer) != std::string_view::npos ||
           line.find(kPhpClient) != std::string_view::npos;
  });
}

}  // namespace

const LogKind kPhpmailerKind = {
    .name = "phpmailer",
    .description = "what PHPMailer prints",
    .how = "$mail->SMTPDebug = 2; 3 tells more of the connection",
    .recognises = recognises_phpmailer,
    .make = make_log_reader<PhpmailerReader>,
};

}  // namespace smtpscope
