// s-nail -vv: its name and ">>> " stand before every line, "SERVER: " before those that it read.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

constexpr std::string_view kSnailServer = ">>> SERVER: ";
constexpr std::string_view kSnailClient = ">>> ";

class SnailReader : public PastedReader {
 public:
  SnailReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "s-nail", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    const std::size_t colon = line.find(": ");
    if (colon > kLongestName) return;  // or there is none
    std::string_view text;
    const std::string_view told = line.substr(colon + 2);
    if (take_mark(told, kSnailServer, text)) {
      book_.say("", Side::kServer, text);
    } else if (take_mark(told, kSnailClient, text)) {
      book_.say("", Side::kClient, text);
    } else if (told.starts_with("Connecting to ")) {
      book_.announce("", server_in(told).value_or(""));
    } else if (handshake_failed(told)) {
      book_.fail_handshake("", std::nullopt, told);
    }
  }

 private:
  static constexpr std::size_t kLongestName = 32;
};

bool recognises_s_nail(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find(": >>> SERVER: ") != std::string_view::npos;
  });
}

}  // namespace

const LogKind kSnailKind = {
    .name = "s-nail",
    .description = "what s-nail (mailx) prints with -vv",
    .how = "s-nail -vv -s SUBJECT RECIPIENT <text 2>log.txt",
    .recognises = recognises_s_nail,
    .make = make_log_reader<SnailReader>,
};

}  // namespace smtpscope
