// Exim's main log. Of clients what exim_clients.h says; of deliveries that failed, that no
// connection came about ("H=mx.example.net [192.0.2.25]: Connection refused"), and what a server
// answered to which command ("SMTP error from remote mail server after RCPT TO:<bob@example.net>:
// 550 …"). Nothing else of a session is in it.

#include <algorithm>
#include <string>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/logs/exim_clients.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

constexpr std::string_view kServerError = "SMTP error from remote mail server after ";
constexpr std::string_view kServerTimeout = "SMTP timeout after ";
constexpr std::string_view kHost = ": host ";

/// "1s1Kxq-0001Ab-2C", since 4.97 "1s1Kxq-00000001ABc-2CdE"; "" if the text begins with none.
std::string_view message_id(std::string_view text) {
  const std::string_view word = text.substr(0, text.find(' '));
  constexpr std::size_t kShort = 16, kLong = 23;
  if (word.size() != kShort && word.size() != kLong) return {};
  const bool fits = word[6] == '-' && std::all_of(word.begin(), word.end(), [](char c) {
                      return is_alphanumeric(c) || c == '-';
                    });
  return fits ? word : std::string_view();
}

/// "H=mx.example.net [192.0.2.25]:25", formerly behind the command: ": host mx.example.net
/// [192.0.2.25]": the address, with its port if there is one.
std::string_view exim_server(std::string_view text) {
  const std::size_t at = std::min(text.find("H="), text.find(kHost));
  if (at == std::string_view::npos) return {};
  const std::size_t open = text.find('[', at);
  const std::size_t close = text.find(']', at);
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  const std::string_view address = text.substr(open + 1, close - open - 1);
  return address;
}

/// The reason of a line without an id stands behind "defer (111): ", or behind the host.
bool tells_failure(std::string_view text) {
  const bool delivery = text.starts_with("== ") || text.starts_with("** ") ||
                        text.starts_with("H=") || text.find(" H=") != std::string_view::npos ||
                        text.starts_with(kServerError);
  return delivery && (says_unreachable(text) || text.find(kServerError) != std::string_view::npos ||
                      text.find(kServerTimeout) != std::string_view::npos);
}

/// As a notice of Exim's to a sender, or a page made of its log, has it.
bool is_passed_on(std::string_view text) {
  return text.starts_with(kServerError) && text.find(kHost) != std::string_view::npos;
}

/// Less the process' number in brackets, if it begins with one.
std::string_view without_process(std::string_view line) {
  if (!line.starts_with('[')) return line;
  return without_leading_blanks(line.substr(std::min(line.find(']'), line.size() - 1) + 1));
}

class EximMainlog : public PastedReader {
 public:
  EximMainlog(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "exim", .unknown = kPrintedWithoutMessages}),
        clients_(run, latest) {}

  void read_line(std::string_view line) override {
    const auto stamp = stamps_.read_any(line);
    line = without_process(without_stamp(line));
    const std::string_view id = message_id(line);
    const std::string_view text = without_leading_blanks(line.substr(id.size()));
    if (clients_.read(text, stamp)) return book_.leave_to_another();
    if (id.empty() ? !is_passed_on(text) : !tells_failure(text)) return;
    if (const std::size_t at = text.find(kServerError); at != std::string_view::npos) {
      refused(text, text.substr(at + kServerError.size()));
    } else if (const std::size_t slow = text.find(kServerTimeout); slow != std::string_view::npos) {
      begin(text, text.substr(slow + kServerTimeout.size()));
      book_.remark("", text.substr(slow));
      book_.end("");
    } else {
      unreached(id, text);
    }
  }

 private:
  void unreached(std::string_view id, std::string_view text) {
    const std::string_view server = exim_server(text);
    // Behind each attempt stands what becomes of the recipient, for the same reason.
    const bool recipient = text.starts_with("== ") || text.starts_with("** ");
    const bool repeats = recipient && failed_ == id;
    failed_ = recipient ? std::string_view() : id;
    if (repeats) return;
    book_.announce("", server);
    book_.remark("", text);
  }

  /// "RCPT TO:<bob@example.net>: 550 5.1.1 no such user", lines parted by "\n".
  void refused(std::string_view text, std::string_view what) {
    std::size_t at = what.find(": ");
    while (at != std::string_view::npos && !is_reply_line(what.substr(at + 2)))
      at = what.find(": ", at + 2);
    if (at == std::string_view::npos) return;
    begin(text, what.substr(0, std::min(at, what.find(kHost))));
    std::string_view reply = what.substr(at + 2);
    while (!reply.empty()) {
      const std::size_t end = std::min(reply.find("\\n"), reply.size());
      book_.say("", Side::kServer, reply.substr(0, end));
      reply.remove_prefix(std::min(end + 2, reply.size()));
    }
    book_.end("");
  }

  /// "RCPT TO:<…>", "pipelined MAIL FROM:<…>", "end of data", "initial connection".
  void begin(std::string_view text, std::string_view command) {
    const std::string_view server = exim_server(text);
    if (command.starts_with("initial connection")) {
      book_.connected("", server);
      return;
    }
    book_.announce_rest("", server);
    book_.connected("", {});
    constexpr std::string_view kPipelined = "pipelined ";
    if (command.starts_with(kPipelined)) command.remove_prefix(kPipelined.size());
    if (command.starts_with("end of data") || command.starts_with("sending data")) {
      book_.say("", Side::kClient, "DATA");
      book_.say("", Side::kServer, "354 go ahead");
      book_.skip_message("");
    } else if (content_of(command) == LineContent::kCommand) {
      book_.say("", Side::kClient, command);
    }
  }

  EximClients clients_;
  std::string failed_;  // the message whose attempts stand right above
};

bool recognises_mainlog(std::string_view text) {
  LogStamps stamps{WallTime{}};
  return any_line(text, [&](std::string_view line) {
    if (is_passed_on(without_leading_blanks(line))) return true;
    const auto stamp = stamps.read_any(line);
    if (!stamp) return false;
    line = without_process(without_leading_blanks(line.substr(std::min(stamp->size, line.size()))));
    const std::string_view id = message_id(line);
    const std::string_view told = without_leading_blanks(line.substr(id.size()));
    return EximClients::recognises(told) || (!id.empty() && tells_failure(told));
  });
}

}  // namespace

const LogKind kEximMainlogKind = {
    .name = "exim-mainlog",
    .description = "Exim's main log: clients that were refused, and deliveries that failed",
    .how = "grep MESSAGE-ID /var/log/exim4/mainlog",
    .recognises = recognises_mainlog,
    .make = make_log_reader<EximMainlog>,
};

}  // namespace smtpscope
