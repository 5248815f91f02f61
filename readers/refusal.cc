#include "readers/refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/ascii.h"
#include "base/octets.h"
#include "readers/text/line_content.h"
#include "readers/text/quoted_reply.h"

namespace smtpscope {
namespace {

/// What a text that has no dialogue looks like.
struct Likeness {
  std::string_view sign;  // occurs in a line of it
  std::string_view what;
  std::string_view next;
};
constexpr std::array kLikenesses = {
    Likeness{"postfix/", "a log of Postfix in which no program tells of a connection",
             "postconf -e debug_peer_list=ADDRESS, then postfix reload, has smtpd and smtp log "
             "their dialogues"},
    Likeness{"sm-mta[", "sendmail's log, which has no dialogue",
             "sendmail -v RECIPIENT <message prints one; for the server, confLOG_LEVEL 15 or a "
             "capture of packets"},
    Likeness{"sendmail[", "sendmail's log, which has no dialogue",
             "sendmail -v RECIPIENT <message prints one"},
    Likeness{"Received: from ", "a message with its headers, which has no dialogue",
             "ask for the log of the program that sent it, see smtpscope formats"},
    Likeness{" <= ", "Exim's main log, which has no dialogue",
             "exim -M MESSAGE-ID -v, or exim -d-all+receive+transport for the daemon, prints one"},
    Likeness{"dovecot: ", "Dovecot's log, which has no SMTP dialogue",
             "the submission service writes one with submission_client_workarounds unset and "
             "rawlog_dir set; LMTP can be traced with smtpscope proxy"},
    Likeness{"SMTPSVC",
             "the log of IIS's SMTP service, which has commands and codes but no replies",
             "record what goes over the wire: smtpscope proxy, or a capture of packets"},
    Likeness{"MIIE", "certificates alone", "type the dialogue below them, or use -quiet"},
    Likeness{"Date/Time,", "message tracking, which has no dialogue",
             "the protocol log has one: Set-ReceiveConnector NAME -ProtocolLoggingLevel Verbose"},
    Likeness{"<!DOCTYPE", "an HTML page", "copy the dialogue out of it, as the browser shows it"},
};

constexpr std::size_t kLongestQuote = 80;

std::string quoted_line(std::string_view line) {
  std::string text;
  for (const char c : line.substr(0, kLongestQuote)) text += c >= ' ' && c != '\x7f' ? c : '?';
  if (line.size() > kLongestQuote) text += " ...";
  return text;
}

/// What to type for a reply that stands alone.
std::string ask_reason(std::string_view reply, std::size_t number) {
  std::string words;
  for (const char c : reply.substr(0, reply.find_last_not_of("\"'`), ") + 1)) {
    if (c == '\'') {
      words += "'\\''";
    } else if (c >= ' ' && c != '\x7f') {
      words += c;
    }
  }
  return fmt::format("; line {} has a reply: smtpscope reason '{}' says what it means", number,
                     words);
}

}  // namespace

std::string why_unread(const std::string& name, std::span<const std::uint8_t> first) {
  const std::string head = fmt::format("cannot read {}: ", name);
  constexpr std::string_view kNext = "smtpscope formats lists what can be read, and how to get it";
  if (std::find(first.begin(), first.end(), std::uint8_t{0}) != first.end()) {
    return fmt::format("{}it is no text, and no capture that is known; {}", head, kNext);
  }
  std::string_view text = text_of(first);
  std::size_t number = 0;
  std::optional<std::pair<std::size_t, std::string_view>> shown;
  std::string likely, reply;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    for (const Likeness& likeness : kLikenesses) {
      if (!likely.empty() || line.find(likeness.sign) == std::string_view::npos) continue;
      likely = fmt::format("it looks like {} (line {}: {}); {}", likeness.what, number,
                           quoted_line(line), likeness.next);
    }
    if (const std::string_view found = reply_quoted_in(line); reply.empty() && !found.empty()) {
      reply = ask_reason(found, number);
    }
    if (!shown && !trimmed_blanks(line).empty()) shown.emplace(number, line);
  }
  if (!shown) return fmt::format("{}there is nothing in it but empty lines", head);
  if (!likely.empty()) return head + likely + reply;
  const std::string_view nothing =
      reply.empty() ? "no greeting, command or reply" : "no greeting or command";
  return fmt::format("{}no SMTP dialogue is found in it: {} (line {}: {}); {}{}", head, nothing,
                     shown->first, quoted_line(shown->second), kNext, reply);
}

}  // namespace smtpscope
