#include "readers/text/line_content.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace smtpscope {
namespace {

constexpr std::size_t kCodeSize = 3;

/// What follows a verb in a command that is written as it should be, or nearly so.
enum class Behind : std::uint8_t { kNothing, kWord, kPath, kAnything };

struct VerbShape {
  std::string_view verb;
  Behind behind;
  std::string_view path_word = {};  // "FROM", "TO"
};
constexpr std::array kShapes = {
    VerbShape{"EHLO", Behind::kWord},        VerbShape{"HELO", Behind::kWord},
    VerbShape{"LHLO", Behind::kWord},        VerbShape{"MAIL", Behind::kPath, "FROM"},
    VerbShape{"RCPT", Behind::kPath, "TO"},  VerbShape{"SEND", Behind::kPath, "FROM"},
    VerbShape{"DATA", Behind::kNothing},     VerbShape{"RSET", Behind::kNothing},
    VerbShape{"QUIT", Behind::kNothing},     VerbShape{"NOOP", Behind::kNothing},
    VerbShape{"STARTTLS", Behind::kNothing}, VerbShape{"AUTH", Behind::kAnything},
    VerbShape{"BDAT", Behind::kAnything},    VerbShape{"VRFY", Behind::kWord},
    VerbShape{"EXPN", Behind::kWord},        VerbShape{"ETRN", Behind::kWord},
    VerbShape{"XCLIENT", Behind::kAnything}, VerbShape{"XFORWARD", Behind::kAnything},
    VerbShape{"X-EXPS", Behind::kAnything},  VerbShape{"X-ANONYMOUSTLS", Behind::kNothing}};

bool is_one_word(std::string_view text) {
  return !text.empty() && text.find(' ') == std::string_view::npos;
}

/// Mechanisms are in capital letters, digits, hyphens and underscores (RFC 4422 3.1); people type
/// small ones.
bool begins_with_mechanism(std::string_view text) {
  const std::string_view word = text.substr(0, text.find_first_of(" ="));
  if (word.size() < 3) return false;
  const bool letters = std::all_of(
      word.begin(), word.end(), [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
  if (!letters) return false;
  const std::size_t blank = text.find(' ', word.size());
  // "AUTH PLAIN", "AUTH LOGIN dXNlcg=="; prose has more words.
  return blank == std::string_view::npos || text.find(' ', blank + 1) == std::string_view::npos ||
         text.find("/*", blank) != std::string_view::npos ||
         text.find_first_of("[<*", blank) != std::string_view::npos;
}

bool fits(const VerbShape& shape, std::string_view behind) {
  const bool blank = behind.starts_with(' ') || behind.starts_with('\t');
  const std::string_view rest = trimmed_blanks(behind);
  switch (shape.behind) {
    case Behind::kNothing:
      return rest.empty();
    case Behind::kWord:
      return rest.empty() || (blank && (is_one_word(rest) || rest.starts_with('[')));
    case Behind::kPath: {
      if (rest.empty()) return true;
      if (!blank || rest.size() < shape.path_word.size()) return false;
      if (!equal_ignoring_case(rest.substr(0, shape.path_word.size()), shape.path_word))
        return false;
      const std::string_view path = without_leading_blanks(rest.substr(shape.path_word.size()));
      return path.starts_with(':') || path.starts_with('<');
    }
    case Behind::kAnything:
      if (rest.empty()) return true;
      if (shape.verb == "BDAT") return blank && is_digit(rest.front());
      return blank && (shape.verb != "AUTH" || begins_with_mechanism(rest));
  }
  return false;
}

}  // namespace

std::string_view trimmed_blanks(std::string_view text) {
  return without_trailing_blanks(without_leading_blanks(text));
}

std::string_view between(std::string_view text, std::string_view open, std::string_view close) {
  const std::size_t begin = text.find(open);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + open.size());
  const std::size_t end = text.find(close);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

LineContent content_of(std::string_view text) {
  if (text.empty()) return LineContent::kOther;
  if (is_digit(text.front())) {
    const bool code = text.size() >= kCodeSize && text[0] >= '2' && text[0] <= '5' &&
                      text[1] >= '0' && text[1] <= '5' && is_digit(text[2]);
    if (!code) return LineContent::kOther;
    const bool ends = text.size() == kCodeSize || text[kCodeSize] == ' ' || text[kCodeSize] == '-';
    return ends ? LineContent::kReply : LineContent::kOther;
  }
  if (!is_letter(text.front())) return LineContent::kOther;
  const std::size_t size = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view verb = text.substr(0, size);
  for (const VerbShape& shape : kShapes) {
    if (equal_ignoring_case(verb, shape.verb)) {
      return fits(shape, text.substr(size)) ? LineContent::kCommand : LineContent::kOther;
    }
  }
  return LineContent::kOther;
}

namespace {

/// "smtp.c:245 …": a line of a source.
bool is_source_line(std::string_view line, std::size_t at) {
  if (at == 0 || line[at - 1] != ':' || !is_digit(line[at])) return false;
  std::size_t begin = at - 1;
  while (begin > 0 &&
         (is_alphanumeric(line[begin - 1]) || line[begin - 1] == '_' || line[begin - 1] == '.')) {
    --begin;
  }
  return line.substr(begin, at - begin).find('.') != std::string_view::npos;
}

}  // namespace

FoundContent find_content(std::string_view line) {
  /// No program writes more before what was said.
  constexpr std::size_t kLongestHead = 160;
  const std::size_t last = std::min(line.size(), kLongestHead);
  for (std::size_t at = 0; at < last; ++at) {
    if (at > 0 && (is_alphanumeric(line[at - 1]) || line[at - 1] == '.')) continue;
    if (!is_alphanumeric(line[at]) || is_source_line(line, at)) continue;
    // "size=512 nrcpt=1", "reason=quit", "…_SHA384:256": values of something.
    if (at > 0 && line[at - 1] == '=') continue;
    const bool behind_name = at > 1 && line[at - 1] == ':' && is_alphanumeric(line[at - 2]);
    if (behind_name && line.size() - at == kCodeSize) continue;
    const LineContent content = content_of(line.substr(at));
    if (content != LineContent::kOther) return {content, at};
  }
  return {};
}

std::vector<std::string_view> unglued_reply(std::string_view text, bool blanks) {
  std::vector<std::string_view> lines;
  const bool goes_on = text.size() > kCodeSize && text[kCodeSize] == '-' && is_digit(text[0]);
  if (goes_on) {
    const std::string_view code = text.substr(0, kCodeSize);
    std::size_t from = kCodeSize;
    while (true) {
      const std::size_t at = text.find(code, from);
      if (at == std::string_view::npos || at + kCodeSize >= text.size()) break;
      const char sign = text[at + kCodeSize];
      // Behind a blank it is a number of the text, unless all line ends have become blanks.
      if (is_blank(text[at - 1]) != blanks || (sign != '-' && sign != ' ')) {
        from = at + 1;
        continue;
      }
      lines.push_back(text.substr(0, at));
      text.remove_prefix(at);
      if (sign == ' ') break;
      from = kCodeSize;
    }
  }
  lines.push_back(text);
  return lines;
}

std::optional<std::size_t> glued_reply_at(std::string_view text) {
  constexpr std::array<std::string_view, 5> kAlone = {"QUIT", "DATA", "RSET", "NOOP", "STARTTLS"};
  const auto reply = [&](std::size_t at) {
    return at < text.size() && content_of(text.substr(at)) == LineContent::kReply &&
           text.size() > at + kCodeSize;
  };
  for (const std::string_view verb : kAlone) {
    if (text.size() > verb.size() && equal_ignoring_case(text.substr(0, verb.size()), verb) &&
        reply(verb.size())) {
      return verb.size();
    }
  }
  if (text.size() > 1 && text.front() == '.' && reply(1)) return 1;
  const std::size_t path = text.find('>');
  if (path != std::string_view::npos && reply(path + 1) &&
      content_of(text.substr(0, path + 1)) == LineContent::kCommand) {
    return path + 1;
  }
  return std::nullopt;
}

}  // namespace smtpscope
