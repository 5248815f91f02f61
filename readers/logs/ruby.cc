// Ruby's net-smtp with set_debug_output: "<- " the client, "-> " the server, literals behind. The
// message is only counted.

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/literal.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class RubyReader : public PastedReader {
 public:
  RubyReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "net-smtp", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    line = without_stamp(line);
    std::string_view text;
    if (take_mark(line, "<- ", text)) {
      say(Side::kClient, text);
    } else if (take_mark(line, "-> ", text)) {
      say(Side::kServer, text);
    } else if (take_mark(line, "Connection opened: ", text)) {
      book_.announce("", text);
    } else if (line.starts_with("wrote ") && line.ends_with(" bytes")) {
      book_.skip_message("");
    } else if (line.find("(EOFError)") != std::string_view::npos) {
      book_.close("", Side::kServer, line);
    } else if (line.find("OpenSSL::SSL::SSLError") != std::string_view::npos) {
      book_.fail_handshake("", std::nullopt, line);
    }
  }

 private:
  void say(Side from, std::string_view text) {
    if (!read_literal(text, octets_)) return;
    each_text_line(octets_, [&](std::string_view each) { book_.say("", from, each); });
  }

  std::string octets_;
};

bool recognises_ruby(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find("-> \"") != std::string_view::npos &&
           is_reply_line(line.substr(line.find("-> \"") + 4).substr(0, 4));
  });
}

}  // namespace

const LogKind kRubyKind = {
    .name = "ruby",
    .description = "what Ruby's net-smtp prints",
    .how = "smtp.set_debug_output $stderr",
    .recognises = recognises_ruby,
    .make = make_log_reader<RubyReader>,
};

}  // namespace smtpscope
