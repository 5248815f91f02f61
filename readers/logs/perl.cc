// Perl's Net::SMTP with Debug => 1: "Net::SMTP=GLOB(0x5581)>>> " the client, "<<< " the server. The
// address tells sessions apart; the class may change with TLS.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class PerlReader : public PastedReader {
 public:
  PerlReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "Net::SMTP", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    constexpr std::string_view kObject = "=GLOB(";
    line = without_stamp(line);
    const std::size_t at = line.find(kObject);
    const std::size_t end = at == std::string_view::npos ? at : line.find(')', at);
    if (end == std::string_view::npos) return;
    const std::string_view address = line.substr(at + kObject.size(), end - at - kObject.size());
    std::string_view text;
    if (take_mark(line.substr(end + 1), ">>> ", text)) {
      book_.say(address, Side::kClient, text);
    } else if (take_mark(line.substr(end + 1), "<<< ", text)) {
      book_.say(address, Side::kServer, text);
    }
  }
};

bool recognises_perl(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find("=GLOB(0x") != std::string_view::npos &&
           line.find(")<<< ") != std::string_view::npos;
  });
}

}  // namespace

const LogKind kPerlKind = {
    .name = "perl",
    .description = "what Perl's Net::SMTP prints",
    .how = "Net::SMTP->new(HOST, Debug => 1); it goes to standard error",
    .recognises = recognises_perl,
    .make = make_log_reader<PerlReader>,
};

}  // namespace smtpscope
