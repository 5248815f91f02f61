// hMailServer: fields between tabs, in quotes. SMTPD is its server, SMTPC its client; sessions have
// numbers, lines of a reply "[nl]" between them. The message is not there.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

/// "a"<tab>4200<tab>"b": the values.
std::vector<std::string_view> hmail_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t end = std::min(line.find('\t'), line.size());
    std::string_view field = line.substr(0, end);
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
      field = field.substr(1, field.size() - 2);
    }
    fields.push_back(field);
    if (end == line.size()) return fields;
    line.remove_prefix(end + 1);
  }
}

class HmailReader : public PastedReader {
 public:
  HmailReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest,
                     {.client = "hMailServer",
                      .server = "hMailServer",
                      .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    constexpr std::size_t kFields = 6;
    const std::vector<std::string_view> fields = hmail_fields(line);
    if (fields.size() == 4 && fields[0] == "TCPIP") {
      connected(fields[3]);
      return;
    }
    if (fields.size() < kFields || (fields[0] != "SMTPD" && fields[0] != "SMTPC")) return;
    book_.at(stamps_.read(fields[3]));
    const bool serves = fields[0] == "SMTPD";
    const std::string key = fmt::format("{} {}", fields[0], fields[2]);
    const std::string_view address = fields[4];
    if (book_.find(key) == nullptr) {
      const bool known = serves && address == client_;
      book_.announce(key, serves ? (known ? server_ : std::string_view()) : address,
                     serves ? address : std::string_view());
    }
    std::string_view text;
    if (take_mark(fields[5], "SENT: ", text)) {
      say(key, serves ? Side::kServer : Side::kClient, text);
    } else if (take_mark(fields[5], "RECEIVED: ", text)) {
      say(key, serves ? Side::kClient : Side::kServer, text);
    }
    if (const LogSession* session = book_.find(key); session != nullptr && session->over()) {
      book_.end(key);
    }
  }

 private:
  /// "TCP - 192.0.2.61 connected to 192.0.2.25:25."
  void connected(std::string_view text) {
    const std::string_view client = between(text, "TCP - ", " connected to ");
    if (client.empty()) return;
    client_ = client;
    server_ = text.substr(text.find(" connected to ") + 14);
    if (server_.ends_with('.')) server_.pop_back();
  }

  void say(std::string_view key, Side from, std::string_view text) {
    constexpr std::string_view kLineEnd = "[nl]";
    while (true) {
      const std::size_t end = std::min(text.find(kLineEnd), text.size());
      book_.say(key, from, text.substr(0, end));
      if (end == text.size()) return;
      text.remove_prefix(end + kLineEnd.size());
      if (text.empty()) return;
    }
  }

  std::string client_, server_;  // of the last connection
};

bool recognises_hmailserver(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.starts_with("\"SMTPD\"\t") || line.starts_with("\"SMTPC\"\t");
  });
}

}  // namespace

const LogKind kHmailserverKind = {
    .name = "hmailserver",
    .description = "hMailServer's log",
    .how = "Settings, Logging: SMTP and TCP/IP; the files are in hMailServer\\Logs",
    .recognises = recognises_hmailserver,
    .make = make_log_reader<HmailReader>,
};

}  // namespace smtpscope
