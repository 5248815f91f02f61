// recordio below tcpserver: "5120 < " is what the client sends, "5120 > " the server, by process
// number. A line that goes on ends in "+".

#include <fmt/format.h>

#include <string>
#include <unordered_map>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class RecordioReader : public PastedReader {
 public:
  RecordioReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    line = without_stamp(line);
    std::string_view text;
    if (take_mark(line, "tcpserver: ok ", text)) {
      accepted(text);
    } else if (take_mark(line, "tcpserver: end ", text)) {
      book_.end(text.substr(0, text.find(' ')));
    } else if (!line.empty() && is_digit(line.front())) {
      const std::size_t end = line.find_first_not_of("0123456789");
      if (end == std::string_view::npos || line.substr(end).size() < 3) return;
      const std::string_view arrow = line.substr(end, 3);
      if (arrow != " < " && arrow != " > ") return;
      recorded(line.substr(0, end), arrow == " < " ? Side::kClient : Side::kServer,
               line.substr(end + 3));
    }
  }

 private:
  static constexpr std::size_t kMostParts = 4096;

  void recorded(std::string_view key, Side from, std::string_view text) {
    if (text == "[EOF]") {
      book_.close(key, from, "");
      return;
    }
    // A blank behind a line that is whole, "+" behind one that goes on.
    const bool goes_on = text.ends_with('+');
    if (goes_on || text.ends_with(' ')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    const std::string part = fmt::format("{} {}", key, index(from));
    const auto before = parts_.find(part);
    if (goes_on) {
      if (parts_.size() >= kMostParts) parts_.clear();
      std::string& begun = parts_[part];
      if (begun.size() < kLongestLine) begun += text;
      return;
    }
    if (before == parts_.end()) {
      book_.say(key, from, text);
      return;
    }
    const std::string whole = before->second + std::string(text);
    parts_.erase(before);
    book_.say(key, from, whole);
  }

  /// "5120 mx.example.net:192.0.2.25:25 :198.51.100.30::4021": names, addresses, ports.
  void accepted(std::string_view text) {
    const std::string_view key = text.substr(0, text.find(' '));
    text = without_leading_blanks(text.substr(key.size()));
    const std::string_view server = text.substr(0, text.find(' '));
    const std::string_view client = without_leading_blanks(text.substr(server.size()));
    const auto address_of = [](std::string_view names) -> std::string {
      names.remove_prefix(std::min(names.find(':') + 1, names.size()));
      const std::string_view address = names.substr(0, names.find(':'));
      const std::string_view port = names.substr(names.rfind(':') + 1);
      return fmt::format("{}:{}", address, port);
    };
    book_.connected(key, address_of(server), address_of(client));
  }

  static constexpr std::size_t kLongestLine = std::size_t{64} * 1024;
  std::unordered_map<std::string, std::string> parts_;  // lines that go on
};

bool recognises_recordio(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    if (line.starts_with("tcpserver: ok ")) return true;
    if (line.starts_with('@') && line.size() > 26) line.remove_prefix(26);
    const std::size_t end = line.find_first_not_of("0123456789");
    if (end == 0 || end == std::string_view::npos) return false;
    return line.substr(end).starts_with(" > ") && is_reply_line(line.substr(end + 3));
  });
}

}  // namespace

const LogKind kRecordioKind = {
    .name = "recordio",
    .description = "what recordio prints below tcpserver",
    .how = "tcpserver 0 25 recordio qmail-smtpd 2>log.txt",
    .recognises = recognises_recordio,
    .make = make_log_reader<RecordioReader>,
};

}  // namespace smtpscope
