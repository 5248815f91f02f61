// What the log of each program tells of its sessions.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "readers/logs/log_exchange.h"
#include "readers/logs/log_exim.h"
#include "readers/logs/log_postfix.h"
#include "readers/logs/log_ssmtp.h"
#include "readers/logs/log_swaks.h"
#include "readers/reader_list.h"
#include "tests/catch.h"
#include "tests/readers/told_log.h"

using namespace smtpscope;

namespace {

using Lines = std::vector<std::string>;

std::string first_notice(const ToldLog& told) {
  return told.notices.empty() ? "" : told.notices.front().text;
}

}  // namespace

TEST_CASE("Postfix, stamps of a second") {
  const ToldLog told = tell_log(PostfixLog::make, log_file("postfix-origin.log"));
  CHECK(told.lines == Lines{"1 +0.000 open 192.0.2.10 > mx",
                            "1 +0.000 S 220 mx.example.net ESMTP Postfix",
                            "1 +0.000 C HELO ws1.example.com",
                            "1 +0.000 S 250 mx.example.net",
                            "1 +0.000 C MAIL FROM:<alice@example.com>",
                            "1 +0.000 S 250 2.1.0 Ok",
                            "1 +0.000 C RCPT TO:<bob@example.net>",
                            "1 +0.000 S 250 2.1.5 Ok",
                            "1 +0.000 C RSET",
                            "1 +0.000 S 250 2.0.0 Ok",
                            "1 +1.000 C RSET",
                            "1 +1.000 S 250 2.0.0 Ok",
                            "1 +11.000 C MAIL FROM:<alice@example.com>",
                            "1 +11.000 S 250 2.1.0 Ok",
                            "1 +11.000 C RCPT TO:<bob@example.net>",
                            "1 +11.000 S 250 2.1.5 Ok",
                            "1 +11.000 C DATA",
                            "1 +11.000 S 354 End data with <CR><LF>.<CR><LF>",
                            "1 +11.000 C <hole 0>.",
                            "1 +11.000 S 250 2.0.0 Ok: queued as 75FF9AB6004",
                            "1 +11.000 C QUIT",
                            "1 +11.000 S 221 2.0.0 Bye",
                            "1 +11.000 end"});
  REQUIRE(told.fidelities.size() == 1);
  CHECK(told.fidelities[0] ==
        Fidelity{.unknown = kUnknownOctets | kUnknownReads | kUnknownContent | kUnknownCloses,
                 .resolution = std::chrono::seconds(1),
                 .inside_tls = true});
  CHECK(first_notice(told) ==
        "its stamps name no time zone and no year: they are shown as if they were UTC, the first "
        "one of 2026");
}

TEST_CASE("Postfix, processes side by side, microseconds, TLS, BDAT, a lost connection") {
  const ToldLog told = tell_log(PostfixLog::make, log_file("postfix-interleaved.log"));
  CHECK(told.session(1) == Lines{"open 192.0.2.10:50114 > mx",
                                 "S 220 mx.example.net ESMTP Postfix",
                                 "C EHLO ws1.example.com",
                                 "S 250-mx.example.net",
                                 "S 250-STARTTLS",
                                 "S 250 CHUNKING",
                                 "C STARTTLS",
                                 "S 220 2.0.0 Ready to start TLS",
                                 "C EHLO ws1.example.com",
                                 "S 250-mx.example.net",
                                 "S 250-AUTH PLAIN",
                                 "S 250 CHUNKING",
                                 "C AUTH PLAIN AGFsaWNlAHRvcHNlY3JldA==",
                                 "S 235 2.7.0 Authentication successful",
                                 "C MAIL FROM:<alice@example.com>",
                                 "S 250 2.1.0 Ok",
                                 "C RCPT TO:<bob@example.net>",
                                 "S 250 2.1.5 Ok",
                                 "C BDAT 300",
                                 "C <hole 300>",
                                 "S 250 2.0.0 Ok: 300 bytes",
                                 "C BDAT 44 LAST",
                                 "C <hole 44>",
                                 "S 250 2.0.0 Ok: 344 bytes queued as 36493AB605D",
                                 "C QUIT",
                                 "S 221 2.0.0 Bye",
                                 "end"});
  CHECK(told.session(2) ==
        Lines{"open [2001:db8::7]:50115 > mx", "S 220 mx.example.net ESMTP Postfix",
              "C HELO ws2.example.com", "S 250 mx.example.net", "C MAIL FROM:<carol@example.com>",
              "S 250 2.1.0 Ok", "C RCPT TO:<bob@example.net>", "S 250 2.1.5 Ok", "C DATA",
              "S 354 End data with <CR><LF>.<CR><LF>",
              "remark lost-connection by server: lost connection after DATA (1200 bytes)",
              "close client: ", "end"});
  CHECK(told.fidelities.at(1).resolution == std::chrono::microseconds(1));
  CHECK(told.notices.empty());
}

TEST_CASE("Postfix, from the middle of a session, and what is not its") {
  const ToldLog told = tell_log(
      PostfixLog::make,
      "Nov 25 12:00:00 mx postfix/smtpd[7]: < unknown[192.0.2.10]: RSET\n"
      "Nov 25 12:00:00 mx postfix/smtpd[7]: > 127.0.0.1:10025: XFORWARD NAME=ws1\n"
      "Nov 25 12:00:00 mx postfix/smtpd[7]: <>\n"
      "Nov 25 12:00:00 mx dovecot[8]: < unknown[192.0.2.10]: DATA\n"
      "Nov 25 12:00:00 mx postfix/smtp[9]: < mx2[192.0.2.26]:25: 220 mx2\n"
      "Nov 25 12:00:05 mx postfix/smtpd[7]: timeout after RSET from unknown[192.0.2.10]\n"
      "Nov 25 12:00:05 mx postfix/smtpd[7]: disconnect from unknown[192.0.2.10] rset=1 commands=1\n"
      "Nov 25 12:00:05 mx postfix/smtpd[7]: disconnect from unknown[192.0.2.10] rset=1 "
      "commands=1\n");
  CHECK(told.session(1) == Lines{"open 192.0.2.10 > mx mid-session", "C RSET",
                                 "remark timeout by server: timeout after RSET",
                                 "close server: ", "end"});
  CHECK(told.session(2) == Lines{"open postfix > 192.0.2.26:25", "S 220 mx2", "end"});
  CHECK(told.lines.size() == 8);
}

TEST_CASE("Exchange, a Receive connector") {
  const ToldLog told = tell_log(ExchangeLog::make, log_file("exchange-receive.log"));
  CHECK(told.session(1) ==
        Lines{"open 192.0.2.10:50114 > 192.0.2.25:587",
              "S 220 ex1.example.net Microsoft ESMTP MAIL Service ready at Wed, 25 Nov 2026 "
              "12:00:00 +0000",
              "C EHLO ws1.example.com",
              "S 250-ex1.example.net Hello [192.0.2.10]",
              "S 250-SIZE 37748736",
              "S 250-PIPELINING",
              "S 250-DSN",
              "S 250-ENHANCEDSTATUSCODES",
              "S 250-AUTH LOGIN NTLM",
              "S 250-8BITMIME",
              "S 250-BINARYMIME",
              "S 250 CHUNKING",
              "C AUTH LOGIN",
              "S 334 <authentication response>",
              "C ######## (masked)",
              "S 334 <authentication response>",
              "C ######## (masked)",
              "S 235 2.7.0 Authentication successful",
              "C MAIL FROM:<alice@example.com>",
              "S 250 2.1.0 Sender OK",
              "C RCPT TO:<bob@example.net>",
              "S 250 2.1.5 Recipient OK",
              "C DATA",
              "S 354 Start mail input; end with <CRLF>.<CRLF>",
              "C <hole 0>.",
              "remark tarpit by server, 5000 ms: Tarpit for '0.00:00:05' due to 'DelayedAck'",
              "S 250 2.6.0 <1@ws1.example.com> [InternalId=110, Hostname=ex1.example.net] Queued "
              "mail for delivery",
              "C QUIT",
              "S 221 2.0.0 Service closing transmission channel",
              "close server: ",
              "end"});
  CHECK(told.fidelities.at(0).resolution == std::chrono::milliseconds(1));
  CHECK(told.notices.empty());
}

TEST_CASE("Exchange, a Send connector: there it is the client") {
  const ToldLog told = tell_log(ExchangeLog::make, log_file("exchange-send.log"));
  CHECK(told.session(1) ==
        Lines{"open 192.0.2.11:6012 > 192.0.2.25:25", "S 220 mx.example.net ESMTP",
              "C EHLO ex1.example.com", "S 250-mx.example.net", "S 250-SIZE 10240000",
              "S 250 8BITMIME", "C MAIL FROM:<alice@example.com> SIZE=4711", "S 250 2.1.0 Ok",
              "C RCPT TO:<nobody@example.net>",
              "S 550 5.1.1 <nobody@example.net>: Recipient address rejected: \"nobody\" is unknown",
              "C QUIT", "S 221 2.0.0 Bye", "close server: ", "end"});
}

TEST_CASE("Exchange, rows that are none") {
  const ToldLog told = tell_log(ExchangeLog::make,
                                "2026-11-25T12:00:00.001Z,x\n"
                                "#Fields: event,data,session-id,date-time\n"
                                "+,,A,2026-11-25T12:00:00.001Z\n"
                                ">,220 mx,A,2026-11-25T12:00:00.002Z\n"
                                "nonsense\n"
                                ">,220 mx,A,yesterday\n"
                                "<,\"HELO \"\"x\"\",\n");
  CHECK(told.session(1) == Lines{"open  > ", "S 220 mx"});
  CHECK(first_notice(told) ==
        "3 lines could not be read; the first is line 1: no \"#Fields:\" line before it "
        "names its columns");
}

TEST_CASE("swaks") {
  const ToldLog told = tell_log(SwaksLog::make, log_file("swaks.txt"));
  CHECK(told.session(1) == Lines{"open swaks > mx.example.net:25",
                                 "S 220 mx.example.net ESMTP",
                                 "C EHLO ws1.example.com",
                                 "S 250-mx.example.net",
                                 "S 250 STARTTLS",
                                 "C STARTTLS",
                                 "S 220 2.0.0 Ready to start TLS",
                                 "C EHLO ws1.example.com",
                                 "S 250-mx.example.net",
                                 "S 250 SIZE",
                                 "C MAIL FROM:<alice@example.com>",
                                 "S 250 2.1.0 Ok",
                                 "C RCPT TO:<bob@example.net>",
                                 "S 250 2.1.5 Ok",
                                 "C DATA",
                                 "S 354 End data with <CR><LF>.<CR><LF>",
                                 "C Subject: figures",
                                 "C ",
                                 "C QUIT is a word.",
                                 "C .",
                                 "S 250 2.0.0 Ok: queued as 257D2AAC540",
                                 "C QUIT",
                                 "S 221 2.0.0 Bye",
                                 "end"});
  CHECK(told.session(2).at(7) == "S 451 4.7.1 Greylisting in action, please come back later");
  CHECK(told.fidelities.at(0).unknown ==
        (kUnknownOctets | kUnknownReads | kUnknownCloses | kUnknownTimes));
}

TEST_CASE("swaks with --suppress-data") {
  const ToldLog told = tell_log(SwaksLog::make,
                                "=== Trying mx:25...\n=== Connected to mx.\n<-  220 mx\n"
                                " -> DATA\n<-  354 go on\n -> 12 lines sent\n<-  250 ok\n"
                                "*** Remote host closed connection unexpectedly.\n");
  CHECK(told.session(1) ==
        Lines{"open swaks > mx:25", "S 220 mx", "C DATA", "S 354 go on", "C <hole 0>.", "S 250 ok",
              "remark closed by client: Remote host closed connection unexpectedly.",
              "close server: ", "end"});
}

TEST_CASE("sSMTP with -v") {
  const ToldLog told = tell_log(SsmtpLog::make, log_file("ssmtp-v.txt"));
  CHECK(told.session(1) ==
        Lines{"open sSMTP > mx.example.net",
              "S 220 mx.example.net ESMTP Postfix",
              "C HELO ws1.example.com",
              "S 250 mx.example.net",
              "C MAIL FROM:<alice@example.com>",
              "S 250 2.1.0 Ok",
              "C RCPT TO:<bob@example.net>",
              "S 250 2.1.5 Ok",
              "C DATA",
              "S 354 End data with <CR><LF>.<CR><LF>",
              "C Received: by ws1.example.com (sSMTP sendmail emulation); Wed, 25 Nov 2026 "
              "12:00:00 +0000",
              "C From: alice@example.com",
              "C Subject: figures",
              "C ",
              "C 250 is a number.",
              "C ..A line with a dot.",
              "C .",
              "S 250 2.0.0 Ok: queued as 6C9FEAB615C",
              "C QUIT",
              "S 221 2.0.0 Bye",
              "end"});
}

TEST_CASE("sSMTP with Debug=YES: no arrow says who spoke") {
  const ToldLog told = tell_log(SsmtpLog::make, log_file("ssmtp-syslog.log"));
  CHECK(told.session(1) == Lines{"open sSMTP > mx.example.net",
                                 "S 220 mx.example.net ESMTP Postfix",
                                 "C EHLO ws1.example.com",
                                 "S 250 CHUNKING",
                                 "C AUTH LOGIN YWxpY2U=",
                                 "S 334 UGFzc3dvcmQ6",
                                 "C dG9wc2VjcmV0",
                                 "S 235 2.7.0 Authentication successful",
                                 "C MAIL FROM:<alice@example.com>",
                                 "S 250 2.1.0 Ok",
                                 "C RCPT TO:<bob@example.net>",
                                 "S 250 2.1.5 Ok",
                                 "C DATA",
                                 "S 354 End data with <CR><LF>.<CR><LF>",
                                 "C Subject: figures",
                                 "C ",
                                 "C 250 is a number.",
                                 "C .",
                                 "S 250 2.0.0 Ok: queued as 6C9FEAB615C",
                                 "C QUIT",
                                 "S 221 2.0.0 Bye",
                                 "end"});
  CHECK(told.lines.at(17) == "1 +1.000 C .");
}

TEST_CASE("Exim: as a server and, delivering, as a client; processes side by side") {
  const ToldLog told = tell_log(EximLog::make, log_file("exim-d.txt"));
  CHECK(told.session(1) == Lines{"open 192.0.2.10 > exim", "S 220 mx.example.net ESMTP Exim 4.96",
                                 "C EHLO ws1.example.com",
                                 "S 250-mx.example.net Hello ws1.example.com [192.0.2.10]",
                                 "S 250-SIZE 52428800", "S 250-PIPELINING", "S 250 HELP",
                                 "C MAIL FROM:<alice@example.com>", "S 250 OK",
                                 "C RCPT TO:<bob@example.org>", "S 250 Accepted", "C DATA",
                                 "S 354 Enter message, ending with \".\" on a line by itself",
                                 "C <hole 0>.", "S 250 OK id=1xW2sO-0005Xz-04", "C QUIT",
                                 "S 221 mx.example.net closing connection", "end"});
  CHECK(told.session(2) ==
        Lines{"open [2001:db8::7] > exim", "S 220 mx.example.net ESMTP Exim 4.96", "end"});
  CHECK(told.session(3) == Lines{"open exim > 192.0.2.26:25", "S 220 mx.example.org ESMTP",
                                 "C EHLO mx.example.net", "S 250-mx.example.org",
                                 "S 250 PIPELINING", "C MAIL FROM:<alice@example.com>",
                                 "C RCPT TO:<bob@example.org>", "C DATA", "S 250 2.1.0 Ok",
                                 "S 250 2.1.5 Ok", "S 354 End data with <CR><LF>.<CR><LF>",
                                 "C <hole 0>.", "S 250 2.0.0 Ok: queued as 4D1", "C QUIT", "end"});
}

TEST_CASE("Exim without numbers and times") {
  const ToldLog told = tell_log(EximLog::make,
                                "SMTP>> 220 mx ESMTP Exim\nSMTP<< EHLO ws1\n"
                                "SMTP>> 250-mx\n       250 HELP\nSMTP<< QUIT\nSMTP>> 221 bye\n");
  CHECK(told.session(1) == Lines{"open  > exim", "S 220 mx ESMTP Exim", "C EHLO ws1", "S 250-mx",
                                 "S 250 HELP", "C QUIT", "S 221 bye", "end"});
  CHECK((told.fidelities.at(0).unknown & kUnknownTimes) != 0);
}

TEST_CASE("Exim fills short process numbers up") {
  // "%5d ": what a daemon writes that was started soon after the machine, or in a container.
  std::string padded;
  const std::string text = log_file("exim-d.txt");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    std::string line = text.substr(at, end - at);
    constexpr std::size_t kStamp = 9;
    if (line.size() > kStamp && line[kStamp] == '1') line.insert(kStamp, 1, ' ');
    padded += line;
    at = end;
  }
  REQUIRE(padded != text);
  CHECK(EximLog::recognises(padded));
  CHECK(tell_log(EximLog::make, padded).lines == tell_log(EximLog::make, text).lines);
}

TEST_CASE("Exim: what a client says does not end its session") {
  const ToldLog told =
      tell_log(EximLog::make,
               "SMTP>> 220 mx ESMTP Exim\nSMTP<< NOOP terminating with rc\nSMTP>> 250 OK\n"
               "LOG: terminating with rc=0\nSMTP>> 220 mx ESMTP Exim\n");
  CHECK(told.session(1) == Lines{"open  > exim", "S 220 mx ESMTP Exim",
                                 "C NOOP terminating with rc", "S 250 OK", "end"});
  CHECK(told.session(2).size() >= 2);
}

TEST_CASE("each log is told from the others by what is in it") {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"postfix-origin.log", "postfix"},
      {"postfix-interleaved.log", "postfix"},
      {"exchange-receive.log", "exchange"},
      {"exchange-send.log", "exchange"},
      {"swaks.txt", "swaks"},
      {"ssmtp-v.txt", "ssmtp"},
      {"ssmtp-syslog.log", "ssmtp"},
      {"exim-d.txt", "exim"}};
  for (const auto& [file, name] : files) {
    const std::string text = log_file(file);
    const std::span octets(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    INFO(file);
    CHECK(format_of(octets) == name);
  }
}

TEST_CASE("how a file comes in reads changes nothing") {
  struct Sample {
    LogSource::MakeReader make;
    const char* file;
  };
  for (const Sample& sample :
       {Sample{PostfixLog::make, "postfix-interleaved.log"},
        Sample{ExchangeLog::make, "exchange-receive.log"}, Sample{SwaksLog::make, "swaks.txt"},
        Sample{SsmtpLog::make, "ssmtp-syslog.log"}, Sample{EximLog::make, "exim-d.txt"}}) {
    INFO(sample.file);
    const std::string text = log_file(sample.file);
    const Lines whole = tell_log(sample.make, text).lines;
    for (const std::size_t size : {1U, 2U, 3U, 7U, 64U}) {
      CHECK(tell_log(sample.make, text, size).lines == whole);
    }
    // The last line may have no end, and all may have been through a Windows editor.
    CHECK(tell_log(sample.make, text.substr(0, text.size() - 1)).lines == whole);
    std::string crlf;
    for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    CHECK(tell_log(sample.make, crlf).lines == whole);
  }
}
