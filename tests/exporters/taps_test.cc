#include <string>
#include <string_view>

#include "exporters/comparison/taps_json.h"
#include "exporters/comparison/taps_text.h"
#include "tests/catch.h"
#include "tests/diff/two_taps.h"
#include "tests/exporters/golden.h"

// What a comparison of two taps looks like, as files to look at.

namespace smtpscope {
namespace {

using namespace std::chrono_literals;
using test::Compared;
using test::TwoTaps;

/// Everything that something in between can do, in a few sessions.
TwoTaps meddled() {
  TwoTaps taps(1h + 250us);
  taps.wait(1ms);
  taps.at_server("S: 220 mx.example ESMTP Postfix");
  taps.wait(1ms);
  taps.at_client("S: 220 *******************************");
  taps.wait(1ms);
  taps.at_client("C: EHLO client.example");
  taps.wait(1ms);
  taps.at_server("C: EHLO client.example");
  taps.wait(1ms);
  taps.at_server(
      "S> raw \"250-mx.example\\r\\n250-STARTTLS\\r\\n250-CHUNKING\\r\\n250 DSN\\r\\n\"");
  taps.wait(1ms);
  taps.at_client("S> raw \"250-mx.example\\r\\n250-XXXXXXXA\\r\\n250 DSN\\r\\n\"");
  taps.drop("STARTTLS", "500 Unsupported command.");
  taps.pass("NOOP", "250 2.0.0 Ok");
  taps.pass("NOOP", "250 2.0.0 Ok");
  taps.pass("NOOP", "250 2.0.0 Ok");
  taps.pass("NOOP", "250 2.0.0 Ok");
  taps.pass("NOOP", "250 2.0.0 Ok");
  taps.pass("NOOP", "250 2.0.0 Ok");
  taps.rewrite("MAIL FROM:<alice@example.com> SIZE=120", "MAIL FROM:<alice@example.com>",
               "250 2.1.0 Ok", "250 2.1.0 Ok");
  taps.pass("RCPT TO:<bob@example.net>", "250 2.1.5 Ok", 2400ms);
  taps.at_client("C: DATA");
  taps.inject("RSET", "250 2.0.0 Ok");
  taps.at_client("S: 354 Start mail input; end with <CRLF>.<CRLF> \\x1B[31m");
  taps.wait(1s);
  taps.at_client(
      "C> raw \"Message-ID: <1@example.com>\\r\\nSubject: x\\r\\n\\r\\nhello\\r\\n.\\r\\n\"");
  taps.wait(10s);
  taps.inject("MAIL FROM:<alice@example.com>", "250 2.1.0 Ok");
  taps.inject("RCPT TO:<bob@example.net>", "250 2.1.5 Ok");
  taps.inject("DATA", "354 End data with <CR><LF>.<CR><LF>");
  taps.at_server(
      "C> raw \"Message-ID: <1@example.com>\\r\\nX-Scanned: caf\\xe9\\r\\nSubject: "
      "x\\r\\n\\r\\nhello!\\r\\n.\\r\\n\"");
  taps.wait(1ms);
  taps.at_server("S: 250 2.0.0 Ok: queued as 257D2AAC540");
  taps.wait(1ms);
  taps.at_client("S: 250 2.0.0 Ok: queued as 257D2AAC540");
  taps.pass("QUIT", "221 2.0.0 Bye");
  taps.end_client();
  taps.end_server();
  taps.open_client(2);
  taps.open_server(2);
  taps.greet();
  taps.envelope("client.example", "carol@example.com", "dave@example.net");
  taps.message("Message-ID: <2@example.com>\\r\\n\\r\\nhello\\r\\n.\\r\\n");
  taps.quit();
  taps.end_client();
  taps.end_server();
  taps.open_client(3);
  taps.wait(1ms);
  taps.at_client("S: 220 mx.example ESMTP Postfix");
  taps.drop("EHLO blocked.example", "554 5.7.1 not allowed");
  taps.end_client();
  return taps;
}

std::string text_of_taps(const Compared& compared, const ExporterOptions& options) {
  StringOutput output;
  write_taps_text(compared.taps, 2, options, output);
  return output.text();
}

TEST_CASE("what two taps saw fits the width it is given") {
  const Compared compared(meddled());
  for (const std::size_t width : {std::size_t{60}, std::size_t{80}, std::size_t{120}}) {
    ExporterOptions options;
    options.width = width;
    const std::string text = text_of_taps(compared, options);
    check_width(text, width);
    check_golden("taps-" + std::to_string(width) + ".txt", text);
  }
}

TEST_CASE("what two taps saw, in full") {
  ExporterOptions options;
  options.verbose = true;
  check_golden("taps-verbose.txt", text_of_taps(Compared(meddled()), options));
}

TEST_CASE("what two taps saw, in colour and ASCII") {
  ExporterOptions options;
  options.width = 110;
  options.colour = true;
  options.unicode = false;
  const std::string text = text_of_taps(Compared(meddled()), options);
  for (const char c : text) CHECK((c == '\n' || c == '\x1B' || (c >= 0x20 && c < 0x7F)));
  CHECK(text.find("\x1B[31m") == std::string::npos);  // the reply's own
  check_golden("taps-colour-ascii.txt", text);
}

TEST_CASE("two taps with nothing between them") {
  TwoTaps taps;
  taps.greet();
  taps.envelope();
  taps.message("Subject: x\\r\\n\\r\\nhello\\r\\n.\\r\\n");
  taps.quit();
  taps.end_client();
  taps.end_server();
  check_golden("taps-same.txt", text_of_taps(Compared(taps), {}));
}

TEST_CASE("what two taps saw as JSON") {
  const Compared compared(meddled());
  check_golden("taps.json", without_version(taps_document(compared.taps, RuleSet())));
}

}  // namespace
}  // namespace smtpscope
