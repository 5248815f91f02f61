#include "proxy/sink/sink_session.h"

#include <string>
#include <vector>

#include "tests/catch.h"

namespace smtpscope {
namespace {

/// A sink that is talked to in lines; answers with the codes it gave.
class Sink {
 public:
  Sink() { session.begin(text); }

  /// The reply codes (last lines of replies only) to `octets`, fed in pieces of `piece`.
  std::string operator()(std::string_view octets, std::size_t piece = ~std::size_t{0}) {
    text.clear();
    while (!octets.empty()) {
      const std::string_view part = octets.substr(0, piece);
      octets.remove_prefix(part.size());
      session.receive({reinterpret_cast<const std::uint8_t*>(part.data()), part.size()}, text);
    }
    std::string codes;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find("\r\n", at);
      REQUIRE(end != std::string::npos);
      if (text[at + 3] == ' ') codes += (codes.empty() ? "" : " ") + text.substr(at, 3);
      at = end + 2;
    }
    return codes;
  }

  SinkSession session;
  std::string text;  // of the last replies
};

constexpr std::string_view kEnvelope =
    "EHLO a\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\n";

}  // namespace

TEST_CASE("the sink accepts mail and counts it") {
  Sink sink;
  CHECK(sink.text.starts_with("220 localhost ESMTP"));
  CHECK(sink("EHLO a\r\n") == "250");
  CHECK(sink.text.find("250-PIPELINING\r\n") != std::string::npos);
  CHECK(sink.text.find("250-CHUNKING\r\n") != std::string::npos);
  CHECK(sink("MAIL FROM:<a@example.com> SIZE=1000 BODY=8BITMIME SMTPUTF8\r\n") == "250");
  CHECK(sink("RCPT TO:<b@example.net>\r\n") == "250");
  CHECK(sink("DATA\r\n") == "354");
  CHECK(sink("Subject: t\r\n\r\nQUIT\r\n..\r\n") == "");
  CHECK(sink(".\r\n") == "250");
  CHECK(sink.text.find(" 23 octets ") != std::string::npos);  // dot-stuffing removed
  CHECK(sink("RSET\r\n") == "250");
  CHECK_FALSE(sink.session.is_over());
  CHECK(sink("QUIT\r\n") == "221");
  CHECK(sink.session.is_over());
  CHECK(sink.session.messages() == 1);
}

TEST_CASE("any split of what a client pipelines gives the same replies") {
  const std::size_t piece = GENERATE(1u, 2u, 3u, 7u, 20u, 1000u);
  Sink sink;
  CHECK(sink(std::string(kEnvelope) + "DATA\r\nx\r\n.\r\n", piece) == "250 250 250 354 250");
  CHECK(sink("MAIL FROM:<>\r\nRCPT TO:<c@example.net>\r\nBDAT 6\r\nQUIT\r\n", piece) ==
        "250 250 250");
  CHECK(sink(std::string_view("BDAT 3 LAST\r\n\0\r\nNOOP\r\nQUIT\r\n", 28), piece) ==
        "250 250 221");
  CHECK(sink.session.messages() == 2);
}

TEST_CASE("commands out of order are refused as RFC 5321 has it") {
  Sink sink;
  CHECK(sink("MAIL FROM:<a@example.com>\r\n") == "503");
  CHECK(sink("RCPT TO:<a@example.com>\r\n") == "503");
  CHECK(sink("BDAT 3 LAST\r\n") == "503");
  CHECK(sink("RSET\r\nNOOP\r\nHELP\r\nVRFY a\r\n") == "250 250 214 252");
  CHECK(sink("EHLO\r\n") == "501");
  CHECK(sink("HELO a\r\n") == "250");
  CHECK(sink("DATA\r\n") == "503");
  CHECK(sink("MAIL FROM:<a@example.com>\r\nMAIL FROM:<b@example.com>\r\n") == "250 503");
  CHECK(sink("DATA\r\n") == "554");
  CHECK(sink("RCPT TO:<b@example.net>\r\nEHLO a\r\nRCPT TO:<b@example.net>\r\n") == "250 250 503");
  CHECK(sink.session.messages() == 0);
}

TEST_CASE("syntax that cannot be read is refused") {
  Sink sink;
  sink("EHLO a\r\n");
  CHECK(sink("MAIL\r\n") == "501");
  CHECK(sink("MAIL a@example.com\r\n") == "501");
  CHECK(sink("MAIL FROM:<a@example.com\r\n") == "501");
  CHECK(sink("MAIL FROM:<a@example.com> SIZE=x\r\n") == "501");
  CHECK(sink("MAIL FROM:<a@example.com> BODY=BINARYMIME\r\n") == "501");
  CHECK(sink("MAIL FROM:<a@example.com> SMTPUTF8=1\r\n") == "501");
  CHECK(sink("MAIL FROM:<a@example.com> RET=HDRS\r\n") == "555");
  CHECK(sink("MAIL FROM:<a@example.com>\r\n") == "250");
  CHECK(sink("RCPT TO:<>\r\n") == "501");
  CHECK(sink("RCPT TO:<b@example.net> NOTIFY=NEVER\r\n") == "555");
  CHECK(sink("RCPT TO:<\"a>b\"@example.net>\r\n") == "250");
  CHECK(sink("RSET now\r\nDATA now\r\nQUIT now\r\nBDAT\r\nBDAT x\r\n") == "501 501 501 501 501");
  CHECK(sink("FROB\r\nSTARTTLS\r\nAUTH PLAIN\r\nEXPN a\r\nLHLO a\r\n") == "500 502 502 502 500");
  CHECK(sink("NOOP " + std::string(3000, 'x') + "\r\nNOOP\r\n") == "500 250");
}

TEST_CASE("chunks are swallowed whatever becomes of them") {
  Sink sink;
  sink("EHLO a\r\n");
  CHECK(sink("BDAT 6\r\nQUIT\r\nNOOP\r\n") == "503 250");
  sink("MAIL FROM:<a@example.com>\r\n");
  CHECK(sink("BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\n") == "503 503");
  CHECK(sink("RCPT TO:<b@example.net>\r\n") == "503");
  CHECK(sink("RSET\r\n") == "250");
  CHECK(sink(kEnvelope.substr(8)) == "250 250");
  CHECK(sink("BDAT 6\r\nQUIT\r\nDATA\r\n") == "250 503");
  CHECK(sink("BDAT 0 LAST\r\n") == "250");
  CHECK(sink.session.messages() == 1);
}

TEST_CASE("what is not SMTP ends the session") {
  Sink sink;
  CHECK(sink(std::string_view("\x16\x03\x01\x00\x05hello", 10)) == "");
  CHECK(sink.session.is_over());
}

}  // namespace smtpscope
