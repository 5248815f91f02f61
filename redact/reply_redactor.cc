#include "redact/reply_redactor.h"

#include <algorithm>

#include "base/ascii.h"
#include "redact/standard_words.h"

namespace smtpscope {
namespace {

bool is_code(std::string_view line) {
  return line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, is_digit) &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

/// A domain or an address literal, and not a word that merely stands where one should.
bool is_server_name(std::string_view word) {
  if (word.size() > 2 && word.front() == '[' && word.back() == ']') return true;
  // "554 5.5.2 …" has an enhanced code there.
  const bool letters = std::ranges::any_of(
      word, [](char c) { return is_letter(c) || static_cast<unsigned char>(c) >= 0x80; });
  return letters && !is_standard_word(word) && std::ranges::all_of(word, [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '_' || c == '.' ||
                  static_cast<unsigned char>(c) >= 0x80;
         });
}

/// Telnet's negotiation (RFC 854: IAC and two octets) in front of a line.
std::size_t telnet_octets(std::string_view line) {
  std::size_t end = 0;
  while (line.size() - end >= 3 && line[end] == '\xff' &&
         static_cast<unsigned char>(line[end + 1]) >= 0xfb) {
    end += 3;
  }
  return end;
}

std::size_t end_of_word(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if(text, is_blank) - text.begin());
}

}  // namespace

ReplyRedactor::Place ReplyRedactor::place_of(const Reply& reply, bool first_line) {
  if (reply.answers == Answers::kGreeting) return first_line ? Place::kName : Place::kAnywhere;
  const bool hello =
      reply.verb == Verb::kEhlo || reply.verb == Verb::kLhlo || reply.verb == Verb::kHelo;
  if (!hello || reply.answers != Answers::kCommand || reply.first_digit() != 2) {
    return Place::kAnywhere;
  }
  return first_line ? Place::kName : Place::kKeywords;
}

void ReplyRedactor::rewrite(std::string_view line, Place place, Rewriting& out) {
  if (const std::size_t telnet = telnet_octets(line); telnet > 0) {
    out.keep(line.substr(0, telnet));
    line.remove_prefix(telnet);
  }
  if (!is_code(line)) {
    text_.rewrite(line, out);
    return;
  }
  const std::size_t code = std::min<std::size_t>(line.size(), 4);
  out.keep(line.substr(0, code));
  line.remove_prefix(code);
  if (place == Place::kKeywords) {
    keywords(line, out);
    return;
  }
  if (place == Place::kName) {
    const std::string_view word = line.substr(0, end_of_word(line));
    if (is_server_name(word)) {
      out.put(word.size(), names_.host(word));
      line.remove_prefix(word.size());
    }
  }
  text_.rewrite(line, out);
}

/// ehlo-keyword and its parameters (RFC 5321 4.1.1.1). The numbers of known ones are limits.
void ReplyRedactor::keywords(std::string_view text, Rewriting& out) {
  const std::size_t end = std::min(text.find_first_of(" \t="), text.size());
  const bool known = is_extension_keyword(text.substr(0, end));
  if (known) {
    out.keep(text.substr(0, end));
    text.remove_prefix(end);
  }
  while (known && !text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    const bool number = digits > 0 && (digits == text.size() || is_blank(text[digits]));
    if (number) {
      out.keep(text.substr(0, digits));
      text.remove_prefix(digits);
      continue;
    }
    // Up to where the next word or value begins.
    std::size_t next = std::min(text.find_first_of(" \t="), text.size());
    if (next < text.size()) ++next;
    text_.rewrite(text.substr(0, next), out);
    text.remove_prefix(next);
  }
  text_.rewrite(text, out);
}

}  // namespace smtpscope
