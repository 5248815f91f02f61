// OpenSMTPD with -d or -v and -T smtp or -T mta: "smtp: 0x5581: <<< " is what its server read and
// "mta: 0x5581: >>> " what its client said. Pointers tell sessions apart, and come again.

#include <fmt/format.h>

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/log_syslog_line.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class OpensmtpdReader : public PastedReader {
 public:
  OpensmtpdReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    if (const auto syslog = read_syslog_line(line, stamps_)) {
      book_.at(syslog->stamp);
      line = syslog->message;
    }
    if (line.starts_with("debug: ")) line.remove_prefix(7);
    const bool server = line.starts_with("smtp: 0x");
    if (!server && !line.starts_with("mta: 0x")) {
      about(line);
      return;
    }
    const std::size_t colon = line.find(": ", line.find("0x"));
    if (colon == std::string_view::npos) return;
    last_ = line.substr(0, colon);
    const std::string_view said = line.substr(colon + 2);
    std::string_view text;
    if (take_mark(said, "<<< ", text)) {
      book_.say(last_, server ? Side::kClient : Side::kServer, text);
    } else if (take_mark(said, ">>> ", text)) {
      // "[...1024 bytes...]" stands for a piece of the message.
      if (!text.starts_with("[...")) book_.say(last_, server ? Side::kServer : Side::kClient, text);
    } else if (said.starts_with("connected to listener ")) {
      book_.announce(last_, between(said, "hostname=", ","));
    } else if (said.starts_with("MTA_INIT -> ")) {
      book_.announce(last_, server_, "smtpd");
    } else if (said.starts_with("STATE_") && said.ends_with("-> STATE_QUIT")) {
      book_.end(last_);
    }
  }

 private:
  void about(std::string_view line) {
    if (line.find(" smtp connected address=") != std::string_view::npos) {
      const std::string_view address = between(line, "address=", " ");
      if (book_.find(last_) == nullptr) book_.announce(last_, "", address);
    } else if (line.find(" mta connecting address=") != std::string_view::npos) {
      std::string_view address = between(line, "address=", " ");
      const std::size_t scheme = address.find("://");
      server_ = scheme == std::string_view::npos ? address : address.substr(scheme + 3);
      if (!last_.empty() && book_.find(last_) == nullptr) {
        book_.announce(last_, server_, "smtpd");
      }
    } else if (line.starts_with("smtp-out: Error on session") &&
               line.find("closed unexpectedly") != std::string_view::npos) {
      book_.close(last_, Side::kServer, line);
    }
  }

  std::string last_;    // session of which something was said last
  std::string server_;  // that mta connects to
};

bool recognises_opensmtpd(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    const std::size_t at = std::min(line.find("smtp: 0x"), line.find("mta: 0x"));
    return at != std::string_view::npos && (line.find(": <<< ", at) != std::string_view::npos ||
                                            line.find(": >>> ", at) != std::string_view::npos);
  });
}

}  // namespace

const LogKind kOpensmtpdKind = {
    .name = "opensmtpd",
    .description = "what OpenSMTPD prints with -T smtp or -T mta",
    .how = "smtpd -dv -T smtp (as a server), smtpd -dv -T mta (deliveries)",
    .recognises = recognises_opensmtpd,
    .make = make_log_reader<OpensmtpdReader>,
};

}  // namespace smtpscope
