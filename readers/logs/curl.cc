// curl -v: "> " the client, "< " the server, "* " curl itself. The message is not shown, and QUIT
// may be said after its last line.

#include <fmt/format.h>

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class CurlReader : public PastedReader {
 public:
  CurlReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "curl", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    line = without_stamp(line);
    std::string_view text;
    if (take_mark(line, "> ", text)) {
      book_.say("", Side::kClient, text);
    } else if (take_mark(line, "< ", text)) {
      book_.say("", Side::kServer, text);
    } else if (take_mark(line, "* ", text)) {
      remark(without_leading_blanks(text));
    } else if (take_mark(line, "curl: (", text)) {
      // 35: the handshake failed; 60: the certificate was not accepted.
      if (text.starts_with("35)") || text.starts_with("60)")) {
        book_.fail_handshake("", std::nullopt, line);
      } else if (text.starts_with("56)") || text.starts_with("52)")) {
        book_.close("", Side::kServer, line);
      } else if (book_.find("") == nullptr) {
        unreached(line);
      }
    }
  }

 private:
  /// 6: no such name; 7, 28: nobody answered. Behind -v's own lines it says so once more.
  void unreached(std::string_view text) {
    if (unreached_ || !says_unreachable(text)) return;
    if (const auto server = failed_server_in(text)) book_.announce("", *server);
    book_.remark("", text);
    unreached_ = true;
  }

  void remark(std::string_view text) {
    if (text.starts_with("Trying ")) {
      unreached_ = false;
      book_.announce("", server_in(text).value_or(""));
    } else if (text.starts_with("Connected to ")) {
      const std::string_view address = between(text, "(", ")");
      std::string_view port =
          between(text.substr(std::min(text.find(") port "), text.size())), ") port ", " ");
      if (port.empty()) port = text.substr(text.rfind(' ') + 1);
      book_.connected("", fmt::format("{}:{}", address, port));
    } else if (text.starts_with("SSL certificate problem") || handshake_failed(text)) {
      // "continuing anyway" with -k.
      if (text.find("continuing") == std::string_view::npos) {
        book_.fail_handshake("", std::nullopt, text);
      }
    } else if (book_.find("") == nullptr) {
      unreached(text);
    }
  }

  bool unreached_ = false;  // of the run of curl that is told
};

bool recognises_curl(std::string_view text) {
  // It speaks HTTP mostly.
  if (text.find("< HTTP/") < text.size() || text.find("> HTTP/") < text.size()) return false;
  return any_line(text, [](std::string_view line) {
    return line.find("* Connected to ") != std::string_view::npos ||
           line.find("*   Trying ") != std::string_view::npos || line.starts_with("curl: (") ||
           line.starts_with("* Closing connection") || line.starts_with("* Connection #");
  });
}

}  // namespace

const LogKind kCurlKind = {
    .name = "curl",
    .description = "what curl -v prints",
    .how = "curl -v --mail-from A --mail-rcpt B -T FILE smtp://HOST 2>log.txt",
    .recognises = recognises_curl,
    .make = make_log_reader<CurlReader>,
};

}  // namespace smtpscope
