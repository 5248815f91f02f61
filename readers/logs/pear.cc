// PEAR's Net_SMTP with setDebug(true) and Roundcube with smtp_debug, which uses it: "Send: " and
// "Recv: ". What was sent keeps its line end, and the message is one text of many lines, which
// Roundcube cuts.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class PearReader : public PastedReader {
 public:
  PearReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest,
                     {.client = "Net_SMTP",
                      .unknown = kPrintedWithoutMessages,
                      .message_lines = MessageLines::kSome}) {}

  void read_line(std::string_view line) override {
    line = without_stamp(line);
    std::size_t at = line.find("Send: ");
    // Its blank is trimmed from an empty line.
    if (at == std::string_view::npos && line.ends_with("Send:")) at = line.size() - 5;
    const std::size_t recv = line.find("Recv: ");
    if (recv < at && recv < kLongestHead) {
      take_key(line.substr(0, recv));
      book_.say(key_, Side::kServer, line.substr(recv + 6));
    } else if (at < kLongestHead) {
      take_key(line.substr(0, at));
      const std::string_view text = line.substr(std::min(at + 6, line.size()));
      // The line end of the last line, which is sent alone.
      if (!text.empty()) book_.say(key_, Side::kClient, text);
    } else if (const std::size_t to = line.find("Connecting to "); to < kLongestHead) {
      take_key(line.substr(0, to));
      book_.announce(key_, server_in(line).value_or(""));
    } else if (const LogSession* session = book_.find(key_);
               session != nullptr && session->sending_message()) {
      book_.say(key_, Side::kClient, line);
    } else if (handshake_failed(line)) {
      book_.fail_handshake(key_, std::nullopt, line);
    }
  }

 private:
  static constexpr std::size_t kLongestHead = 120;

  /// "<3e1d0c9b>": the beginning of the web session's id.
  void take_key(std::string_view head) { key_ = between(head, "<", ">"); }

  std::string key_;
};

bool recognises_pear(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    const std::size_t recv = line.find("Recv: ");
    return recv < 120 && is_reply_line(line.substr(recv + 6));
  });
}

}  // namespace

const LogKind kPearKind = {
    .name = "roundcube",
    .description = "what Roundcube and PEAR's Net_SMTP log",
    .how = "Roundcube: $config['smtp_debug'] = true; PEAR: $smtp->setDebug(true)",
    .recognises = recognises_pear,
    .make = make_log_reader<PearReader>,
};

}  // namespace smtpscope
