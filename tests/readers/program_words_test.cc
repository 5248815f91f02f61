// What programs say of their own, as they print it, and what only looks like it.

#include "readers/text/program_words.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "tests/catch.h"

using namespace smtpscope;
using namespace std::chrono_literals;

namespace {

struct Line {
  std::string_view text;
  std::string_view kind;  // "": about nothing
  std::optional<Duration> length = {};
};

constexpr Line kLines[] = {
    {"<** Timeout (30 secs) waiting for server response", "timeout", 30s},
    {"Greeting never received", "timeout"},
    {"Error: Greeting never received", "timeout"},
    {"Connection timeout", "timeout"},
    {"TimeoutError: timed out", "timeout"},
    {"DEBUG SMTP: exception reading response: java.net.SocketTimeoutException: Read timed out",
     "timeout"},
    {"curl: (28) Operation timed out after 5001 milliseconds with 0 bytes received", "timeout",
     5001ms},
    {"System.Net.Mail.SmtpException: The operation has timed out.", "timeout"},
    {"2024/05/01 10:00:00 dial tcp 192.0.2.25:587: i/o timeout", "timeout"},
    {"read tcp 10.0.0.2:41000->192.0.2.25:25: i/o timeout after 30.0s", "timeout", 30s},
    {"Tarpit for '0.00:00:30' due to 'DelayedAck'", "tarpit", 30s},
    {"Tarpit for 0.00:00:05", "tarpit", 5s},
    {"warning: SASL: Connect to private/auth failed: Connection refused", "login-backend"},
    {"fatal: no SASL authentication mechanisms", "login-backend"},
    {"TLS startup failed (connect(): error:0A00010B:SSL routines::wrong version number)",
     "tls-failed"},
    {"javax.net.ssl.SSLHandshakeException: No appropriate protocol", "tls-failed"},
    {"ssl.SSLCertVerificationError: certificate verify failed: self-signed certificate",
     "tls-failed"},
    {"lost connection after DATA (1234 bytes)", "lost-connection"},
    {"java.net.SocketException: Connection reset", "lost-connection"},
    {"Error: read ECONNRESET", "lost-connection"},
    {"smtplib.SMTPServerDisconnected: Connection unexpectedly closed", "closed"},
    {"Connection closed by foreign host.", "closed"},
    {"SMTP NOTICE: EOF caught while checking if connected", "closed"},
    {"javax.mail.MessagingException: [EOF]", "closed"},
    {"smtplib.SMTPDataError: (554, b'5.7.1 no')", "exception"},
    {"MailKit.Net.Smtp.SmtpCommandException: Mailbox unavailable", "exception"},
    {"PHP Fatal error:  Uncaught Exception: SMTP Error: data not accepted.", "exception"},
    {"/usr/lib/ruby/net/smtp.rb:1059:in `check_response': 550 no (Net::SMTPFatalError)",
     "exception"},
    {"The following SMTP error was encountered: ", "exception"},
    {"msmtp: the server does not support authentication", "not-offered"},
    {"smtplib.SMTPNotSupportedError: STARTTLS extension not supported by server.", "not-offered"},
    {"requests.ReadTimeout: Read timed out. (read timeout=10)", "timeout"},
    {"Winsock error[10060]: A connection attempt failed", "timeout"},
    // A limit that is told of is not over.
    {"> Setting read timeout to: 5 seconds", ""},
    {"DEBUG: read timeout set to 30 seconds", ""},
    // What repeats a reply, lists calls, or is somebody's question.
    {"The following SMTP error was encountered: 550 no", ""},
    {"502 this server does not support AUTH", ""},
    {"SMTP Error: Could not authenticate.", ""},
    {"\tat javax.mail.Transport.send(Transport.java:127)", ""},
    {"    raise SMTPServerDisconnected(\"Connection unexpectedly closed\")", ""},
    {"I get a timeout after 30 seconds when I send mail", ""},
    {"Why is the connection closed by the server?", ""},
    {"    Timeout   : 7200 (sec)", ""},
    {"verify error:num=18:self-signed certificate", ""},
    {"* SSL certificate problem: self-signed certificate, continuing anyway.", ""},
    {"Connection: opening to mx.example:25, timeout=300, options=array()", ""},
    {"250 2.0.0 Ok", ""},
    {"", ""},
};

}  // namespace

TEST_CASE("what a program says of its own is told by its words") {
  for (const Line& line : kLines) {
    INFO(line.text);
    const auto words = program_words(line.text);
    CHECK((words ? to_string(words->kind) : std::string_view()) == line.kind);
    if (words) CHECK((words->length == line.length));
  }
}

TEST_CASE("a line of any length is looked at once, and a dump is none") {
  CHECK(!program_words(std::string(1u << 20, 'x') + " timed out"));
}

TEST_CASE("times that are named") {
  CHECK((length_named("Timeout (30 secs)") == Duration(30s)));
  CHECK((length_named("after 1.5s") == Duration(1s)));
  CHECK((length_named("for 1.02:03:04") == Duration(26h + 3min + 4s)));
  CHECK((length_named("in 2 minutes") == Duration(2min)));
  // Ports, addresses, ids, codes, and times that nobody waits.
  for (const std::string_view none :
       {"192.0.2.1:25 s", "a30s", "smtp.rb:1059:in", "550 5.7.1 no", "99999999999999999999 s",
        "9999999 hours", "604801 s", "for 10.00:00:00", "at 10:00:00"}) {
    INFO(none);
    CHECK(!length_named(none));
  }
}

TEST_CASE("that no connection came about is told by its words") {
  for (const std::string_view line :
       {"java.net.ConnectException: Connection refused (Connection refused)",
        "Error: connect ECONNREFUSED 192.0.2.25:25", "Error: getaddrinfo ENOTFOUND mx.example",
        "* connect to 192.0.2.25 port 25 failed: Connection timed out",
        "java.net.UnknownHostException: mx.example", "OSError: [Errno 113] No route to host",
        "Deferred: Name server: mx.example.: host name lookup failure"}) {
    INFO(line);
    CHECK(says_unreachable(line));
  }
  CHECK(!says_unreachable("I tried, and the connection was refused: Connection refused"));
  CHECK(!says_unreachable("SMTP Error: Could not authenticate."));
  CHECK(!says_unreachable("> libnet: using getaddrinfo"));
  CHECK(!says_unreachable("> Setting connection timeout to: 5 seconds"));
}
