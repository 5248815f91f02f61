// What a program says when no connection came about, where that is all that there is: an exception,
// a line of curl's, of telnet's, of a form on a web site. Several lines may say it of one attempt.

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

/// Ports of other protocols: a log of a web server has the same words.
constexpr std::array<int, 24> kPortsOfOthers = {21,   22,   53,   80,   110,  143,  389,   443,
                                                636,  993,  995,  1433, 3000, 3306, 5432,  5672,
                                                6379, 8000, 8080, 8443, 9000, 9200, 11211, 27017};

bool is_port_of_others(std::string_view server) {
  const std::size_t colon = server.rfind(':');
  if (colon == std::string_view::npos) return false;
  int port = 0;
  std::from_chars(server.data() + colon + 1, server.data() + server.size(), port);
  return std::find(kPortsOfOthers.begin(), kPortsOfOthers.end(), port) != kPortsOfOthers.end();
}

/// A server that the line says could not be reached.
std::optional<std::string> unreached_in(std::string_view line) {
  if (!says_unreachable(line) || line.find("nginx") != std::string_view::npos) return std::nullopt;
  std::string server = failed_server_in(line).value_or("");
  if (is_port_of_others(server)) return std::nullopt;
  return server;
}

/// A client that speaks TLS to a server that speaks in the clear, or the other way round: OpenSSL's
/// words, in what has to do with mail.
bool mixes_tls_up(std::string_view line) {
  return line.find("wrong version number") < line.size() ||
         line.find("WRONG_VERSION_NUMBER") < line.size();
}
bool is_about_mail(std::string_view text) {
  constexpr std::array<std::string_view, 7> kSigns = {"smtp", "SMTP", "mail",     "Mail",
                                                      ":465", ":587", "port: 587"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return text.find(sign) < text.size(); });
}

class UnreachedReader : public LogReader {
 public:
  UnreachedReader(LogRun& run, WallTime latest)
      : stamps_(latest), book_(run, latest, {.unknown = kPrintedHides}) {}

  void read(std::string_view line) override {
    const auto stamp = stamps_.read_any(line);
    if (stamp) line.remove_prefix(std::min(stamp->size, line.size()));
    const std::string_view text = trimmed_blanks(line);
    const auto server = unreached_in(text);
    if (!server && mixes_tls_up(text)) {
      tell();
      book_.at(stamp);
      if (book_.find("") != nullptr) return;  // it is said again
      book_.announce_rest("", server_);
      book_.connected("", {});
      return book_.fail_handshake("", std::nullopt, text);
    }
    if (!server) {
      const bool about_connecting = text.find("onnect") != std::string_view::npos;
      if (const auto named = about_connecting ? failed_server_in(text) : server_in(text)) {
        tell();
        server_ = *named;
      } else if (text.empty()) {
        tell();
      }
      book_.at(stamp);
      return;
    }
    // Another server, or another time: another attempt.
    const bool other_server = !server->empty() && !server_.empty() && *server != server_;
    if (!why_.empty() && (other_server || stamp)) tell();
    book_.at(stamp);
    if (!server->empty()) server_ = *server;
    // The last says most: "nested exception is: java.net.ConnectException: Connection refused".
    why_ = text;
  }

  void finish() override {
    tell();
    book_.finish();
  }

 private:
  void tell() {
    if (!why_.empty()) {
      book_.announce("", server_);
      book_.remark("", why_);
    }
    why_.clear();
    server_.clear();
  }

  LogStamps stamps_;
  DialogueBook book_;
  std::string server_, why_;
};

bool recognises_unreached(std::string_view text) {
  std::optional<bool> of_mail;
  return any_line(text, [&](std::string_view line) {
    if (unreached_in(line)) return true;
    if (!mixes_tls_up(line)) return false;
    if (!of_mail) of_mail = is_about_mail(text);
    return *of_mail;
  });
}

}  // namespace

const LogKind kUnreachedKind = {
    .name = "unreached",
    .description = "errors of any program that say that no connection, or no TLS, came about",
    .how = "copy the error as it is shown",
    .recognises = recognises_unreached,
    .make = make_log_reader<UnreachedReader>,
};

}  // namespace smtpscope
