#include "readers/text/quoted_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "readers/text/line_content.h"
#include "readers/text/literal.h"

namespace smtpscope {
namespace {

constexpr std::size_t kReplyCode = 3;
constexpr std::string_view kLogin = QuotedRefusal::kLogin;

/// A word of programs that says which command failed.
struct StepWord {
  std::string_view word;
  std::string_view command;  // "." is the message
};
/// Who names the message names DATA, too; who names a recipient may name the sender.
constexpr std::array kStepWords = {StepWord{"end of data", "."},
                                   StepWord{"end of DATA", "."},
                                   StepWord{"END-OF-MESSAGE", "."},
                                   StepWord{"DATA END", "."},
                                   StepWord{"SMTPDataError", "."},
                                   StepWord{"message body", "."},
                                   StepWord{"RCPT", "RCPT TO:<***>"},
                                   StepWord{"SMTPRecipientsRefused", "RCPT TO:<***>"},
                                   StepWord{"SMTPAddressFailedException", "RCPT TO:<***>"},
                                   StepWord{"does_not_like_recipient", "RCPT TO:<***>"},
                                   StepWord{"recipients failed", "RCPT TO:<***>"},
                                   StepWord{"MAIL FROM", "MAIL FROM:<***>"},
                                   StepWord{"SMTPSenderRefused", "MAIL FROM:<***>"},
                                   StepWord{"SMTPSenderFailedException", "MAIL FROM:<***>"},
                                   StepWord{"sender_was_rejected", "MAIL FROM:<***>"},
                                   StepWord{"AUTH", kLogin},
                                   StepWord{"SMTPAuthenticationError", kLogin},
                                   StepWord{"AuthenticationFailedException", kLogin},
                                   StepWord{"AuthenticationException", kLogin},
                                   StepWord{"Invalid login", kLogin},
                                   StepWord{"STARTTLS", "STARTTLS"},
                                   StepWord{"EHLO", "EHLO ***"},
                                   StepWord{"HELO", "HELO ***"},
                                   StepWord{"DATA", "DATA"}};

std::string_view step_in(std::string_view text) {
  for (const StepWord& each : kStepWords) {
    if (text.find(each.word) < text.size()) return each.command;
  }
  return {};
}

/// What these codes are only for (RFC 4954 6, RFC 3463 3.2).
std::string_view step_of_code(std::string_view reply) {
  constexpr std::array<std::string_view, 3> kOfLogin = {"535", "534", "538"};
  for (const std::string_view code : kOfLogin) {
    if (reply.starts_with(code)) return kLogin;
  }
  const std::string_view enhanced = reply.substr(std::min<std::size_t>(reply.size(), 4), 4);
  return enhanced.size() == 4 && enhanced.substr(1) == ".1." ? "RCPT TO:<***>" : std::string_view();
}

/// "AUTH PLAIN", where `text` says so.
std::string login_in(std::string_view text) {
  constexpr std::array<std::string_view, 7> kMechanisms = {
      "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "NTLM", "DIGEST-MD5"};
  for (const std::string_view each : kMechanisms) {
    const std::string named = fmt::format("{} {}", kLogin, each);
    if (text.find(named) < text.size()) return named + " ********";
  }
  return std::string(kLogin);
}

/// "(535, b'5.7.8 …\n5.7.8 …')", as Python shows what its smtplib raises.
std::vector<std::string> pair_in(std::string_view line) {
  for (std::size_t at = line.find('('); at < line.size(); at = line.find('(', at + 1)) {
    const std::string_view pair = line.substr(at + 1);
    const bool code = pair.size() > kReplyCode + 3 && (pair[0] == '4' || pair[0] == '5') &&
                      is_digit(pair[1]) && is_digit(pair[2]) && pair.substr(kReplyCode, 2) == ", ";
    // "permanent error (530): 5.7.0 …", as lettre has it.
    const bool apart = pair.size() > kReplyCode + 3 && (pair[0] == '4' || pair[0] == '5') &&
                       is_digit(pair[1]) && is_digit(pair[2]) &&
                       pair.substr(kReplyCode, 3) == "): ";
    if (apart)
      return {fmt::format("{} {}", pair.substr(0, kReplyCode), pair.substr(kReplyCode + 3))};
    std::string said;
    if (!code || !read_literal(pair.substr(kReplyCode + 2), said)) continue;
    std::vector<std::string> lines;
    each_text_line(without_line_end(said), [&](std::string_view each) {
      lines.push_back(fmt::format("{}-{}", pair.substr(0, kReplyCode), each));
    });
    if (!lines.empty()) lines.back()[kReplyCode] = ' ';
    return lines;
  }
  return {};
}

/// Without what stands behind a reply in a line: what quotes it, and the command that it answers.
std::string_view without_tail(std::string_view reply, char quote) {
  const std::size_t answers = reply.find(" (in reply to ");
  if (answers < reply.size()) reply = reply.substr(0, answers);
  if (quote == '\'' || quote == '"') reply = reply.substr(0, reply.find(quote));
  return trimmed_blanks(reply);
}

/// "host mx.example.org[192.0.2.25] said: ", "by mx.example.org. [192.0.2.25]", "H=mx
/// [192.0.2.25]".
std::string server_in_words(std::string_view text) {
  for (const std::string_view word : {"host ", "H=", "relay=", "remote server ", " by "}) {
    const std::size_t at = text.find(word);
    if (at == std::string_view::npos) continue;
    const std::string_view behind = text.substr(at + word.size());
    const std::size_t open = behind.find('[');
    constexpr std::size_t kLongestName = 255;
    if (open > kLongestName) continue;
    const std::string_view address = between(behind, "[", "]");
    const bool fits = !address.empty() && std::all_of(address.begin(), address.end(), [](char c) {
      return is_alphanumeric(c) || c == '.' || c == ':';
    });
    if (fits) return std::string(address);
  }
  return {};
}

/// "<bob@example.org>" before a reply: whom it is about.
std::string path_in(std::string_view text) {
  for (std::size_t at = text.find('<'); at < text.size(); at = text.find('<', at + 1)) {
    const std::size_t end = text.find('>', at);
    if (end == std::string_view::npos) break;
    const std::string_view path = text.substr(at, end - at + 1);
    if (path.find('@') < path.size() && path.find(' ') == std::string_view::npos) {
      return std::string(path);
    }
  }
  return {};
}

}  // namespace

std::string_view reply_quoted_in(std::string_view line) {
  for (std::size_t at = 0; at + kReplyCode + 1 < line.size(); ++at) {
    const bool refuses = (line[at] == '4' || line[at] == '5') && is_digit(line[at + 1]) &&
                         is_digit(line[at + 2]) &&
                         (line[at + kReplyCode] == ' ' || line[at + kReplyCode] == '-');
    if (!refuses || (at > 0 && (is_alphanumeric(line[at - 1]) || line[at - 1] == '.'))) continue;
    const std::string_view words = line.substr(at + kReplyCode + 1);
    const bool enhanced =
        words.size() > kReplyCode && words[0] == line[at] && words[1] == '.' && is_digit(words[2]);
    const bool quoted = at == 0 || line.substr(0, at).ends_with(": ") || line[at - 1] == '"' ||
                        line[at - 1] == '\'';
    if (enhanced || (quoted && (is_letter(words.front()) || words.front() == '<'))) {
      return line.substr(at);
    }
  }
  return {};
}

QuotedRefusal QuotedRefusal::in(std::string_view line, std::string_view around) {
  QuotedRefusal refusal;
  std::string spaced;
  // qmail-send writes "Remote_host_said:_550_5.1.1_unknown_user/".
  constexpr std::string_view kUnderscored = "Remote_host_said:_";
  if (const std::size_t at = line.find(kUnderscored); at < line.size()) {
    spaced = line.substr(0, at);
    std::string_view said = line.substr(at);
    said = said.substr(0, said.find('/'));
    for (const char c : said) spaced += c == '_' ? ' ' : c;
    line = spaced;
  }
  std::string_view before = line;
  refusal.lines = pair_in(line);
  if (refusal.lines.empty()) {
    const std::string_view reply = reply_quoted_in(line);
    if (reply.empty()) return refusal;
    before = line.substr(0, line.size() - reply.size());
    const char quote = before.empty() ? '\0' : before.back();
    for (const std::string_view each : unglued_reply(without_tail(reply, quote), /*blanks=*/true)) {
      refusal.lines.emplace_back(trimmed_blanks(each));
    }
  }
  // Whoever quotes the first line alone leaves its hyphen (RFC 5321 4.2.1).
  if (refusal.lines.back().size() > kReplyCode) refusal.lines.back()[kReplyCode] = ' ';
  std::string_view step = step_in(before);
  if (step.empty() && line.find("(in reply to ") < line.size()) {
    step = step_in(line.substr(line.find("(in reply to ")));
  }
  if (step.empty()) step = step_in(around);
  if (step.empty()) step = step_of_code(refusal.lines.back());
  refusal.message = step == ".";
  if (!refusal.message) refusal.command = step;
  if (step == kLogin) refusal.command = login_in(fmt::format("{}\n{}", before, around));
  if (step.starts_with("RCPT")) {
    std::string path = path_in(before);
    if (path.empty()) path = path_in(refusal.lines.front());
    if (!path.empty()) refusal.command = fmt::format("RCPT TO:{}", path);
  }
  refusal.server = server_in_words(before);
  return refusal;
}

void QuotedRefusal::tell(DialogueBook& book) const {
  book.announce_rest("", server);
  book.connected("", {});
  if (message) {
    book.say("", Side::kClient, "DATA");
    book.say("", Side::kServer, "354 go ahead");
    book.skip_message("");
  } else if (!command.empty()) {
    book.say("", Side::kClient, command);
  }
  for (const std::string& line : lines) book.say("", Side::kServer, line);
  book.end("");
}

}  // namespace smtpscope
