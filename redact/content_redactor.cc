#include "redact/content_redactor.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "parser/command_line.h"
#include "parser/verb.h"
#include "redact/content_shape.h"
#include "redact/standard_words.h"
#include "redact/word_cipher.h"

namespace smtpscope {
namespace {

/// What is longer is taken in pieces of this size: a line that RFC 5321 4.5.3.1.6 allows is one.
constexpr std::size_t kLongestPiece = 1000;

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kBoundary = "boundary=";

/// Octets up to and with the end of the line: LF, or a CR that no LF follows, which some servers
/// take for one. 0 when it is not known yet.
std::size_t line_size(std::string_view octets, bool all) {
  const std::string_view piece = octets.substr(0, kLongestPiece);
  const std::size_t end = piece.find_first_of("\r\n");
  if (end == std::string_view::npos) {
    return piece.size() == kLongestPiece || all ? piece.size() : 0;
  }
  if (octets[end] == '\n') return end + 1;
  if (end + 1 == octets.size()) return all ? octets.size() : 0;
  return octets[end + 1] == '\n' ? end + 2 : end + 1;
}

std::string_view without_line_end(std::string_view line) {
  const std::size_t last = line.find_last_not_of("\r\n");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// Octets of a field's name (RFC 5322 3.6.8), 0 when the line is no field.
std::size_t name_size(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && line[end] > ' ' && line[end] < 0x7f && line[end] != ':') ++end;
  const std::size_t colon = std::min(line.find_first_not_of(kBlanks, end), line.size());
  return colon < line.size() && line[colon] == ':' ? end : 0;
}

bool begins_with(std::string_view name, std::string_view lower) {
  return equal_ignoring_case(name.substr(0, lower.size()), lower);
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(
      names, [&](std::string_view each) { return equal_ignoring_case(name, each); });
}

std::size_t find_ignoring_case(std::string_view text, std::string_view wanted) {
  const auto found = std::search(text.begin(), text.end(), wanted.begin(), wanted.end(),
                                 [](char a, char b) { return upper(a) == upper(b); });
  return found == text.end() ? std::string_view::npos
                             : static_cast<std::size_t>(found - text.begin());
}

bool in_mime_word(char c) {
  return is_alphanumeric(c) || c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

struct EncodedWord {
  std::size_t text_begin = 0;
  std::size_t size = 0;  // 0: there is none
};

/// "=?charset?encoding?text?=" at the beginning of `text` (RFC 2047 2).
EncodedWord encoded_word(std::string_view text) {
  // RFC 2047 2 allows 75 octets; senders that know no limit stay below this.
  text = text.substr(0, 256);
  std::size_t at = 2;
  while (at < text.size() && (in_mime_word(text[at]) || text[at] == '*')) ++at;
  const std::string_view encoding = text.substr(std::min(at, text.size()), 3);
  if (encoding.size() < 3 || encoding[0] != '?' || encoding[2] != '?') return {};
  const std::size_t end = text.find("?=", at + 3);
  if (end == std::string_view::npos) return {};
  return {at + 3, end + 2};
}

}  // namespace

std::string_view to_string(BodyPolicy policy) {
  constexpr std::array<std::string_view, 3> kNames = {"drop", "shape", "keep"};
  return kNames[static_cast<std::size_t>(policy)];
}

std::size_t ContentRedactor::take(std::string_view octets, bool all, Rewriting& out) {
  std::size_t taken = 0;
  while (taken < octets.size()) {
    const std::size_t size = line_size(octets.substr(taken), all);
    if (size == 0) break;
    const std::string_view piece = octets.substr(taken, size);
    line(piece, out);
    mid_line_ = piece.back() != '\n';
    taken += size;
  }
  return taken;
}

void ContentRedactor::line(std::string_view line, Rewriting& out) {
  const std::string_view text = without_line_end(line);
  // Findings look for commands in what follows an end that is none.
  const std::string_view word = split_command(text).word;
  if (verb_of(word) != Verb::kUnknown && policy_ != BodyPolicy::kKeep) {
    const std::size_t end = static_cast<std::size_t>(word.data() - text.data()) + word.size();
    out.keep(text.substr(0, end));
    shape(text.substr(end), out);
  } else if (mid_line_) {
    in_header_ || in_part_header_ ? value(text, out) : body_line(text, out);
  } else if (text.empty() && line.ends_with('\n')) {
    in_header_ = in_part_header_ = false;
    field_ = Field::kNone;
  } else if (in_header_ || in_part_header_) {
    field(text, out);
  } else {
    body_line(text, out);
  }
  out.keep(line.substr(text.size()));
}

void ContentRedactor::field(std::string_view line, Rewriting& out) {
  if (line.empty()) return;
  if (is_blank(line.front())) {  // RFC 5322 2.2.3
    value(line, out);
    return;
  }
  const std::size_t size = name_size(line);
  const std::size_t dot = line.starts_with('.') && size > 0 ? 1 : 0;  // stuffed
  const std::string_view name = line.substr(dot, size - dot);
  const bool mime = begins_with(name, "content-") || is_one_of(name, {"mime-version"});
  if (size == 0 || (in_part_header_ && !mime)) {
    field_ = Field::kOther;
    body_line(line, out);
    return;
  }
  if (mime) {
    field_ = is_one_of(name, {"content-id"}) ? Field::kIdentifiers : Field::kMime;
    if (is_one_of(name, {"content-transfer-encoding"})) {
      base64_ = find_ignoring_case(line, "base64") != std::string_view::npos;
    }
  } else if (is_one_of(name, {"message-id", "references", "in-reply-to", "resent-message-id"})) {
    field_ = Field::kIdentifiers;
  } else if (is_one_of(name,
                       {"subject", "date", "comments", "keywords", "user-agent", "x-mailer"})) {
    field_ = Field::kOther;
  } else {
    field_ = Field::kPeople;  // who it is from and for, the way that it took, and what is unknown
  }
  field_name(line.substr(0, size), out);
  value(line.substr(size), out);
}

/// A name may have been made of somebody's.
void ContentRedactor::field_name(std::string_view name, Rewriting& out) {
  if (names_->holds_known(name)) {
    TextRedactor(*names_, TextRedactor::Words::kKnownGo).rewrite(name, out);
  } else {
    out.keep(name);
  }
}

void ContentRedactor::value(std::string_view value, Rewriting& out) {
  switch (field_) {
    case Field::kMime:
      mime_value(value, out);
      return;
    case Field::kIdentifiers:
      if (policy_ != BodyPolicy::kKeep) {
        shape_words(value, out);
        return;
      }
      [[fallthrough]];
    case Field::kPeople:
      if (policy_ == BodyPolicy::kKeep) {
        TextRedactor(*names_).rewrite(value, out);
        return;
      }
      break;
    case Field::kNone:
    case Field::kOther:
      break;
  }
  policy_ == BodyPolicy::kKeep ? kept_text(value, out) : shape(value, out);
}

void ContentRedactor::mime_value(std::string_view value, Rewriting& out) {
  const std::size_t found = find_ignoring_case(value, kBoundary);
  if (found != std::string_view::npos) {
    // Shaped by itself, as it is in the lines that it is for (RFC 2046 5.1.1).
    std::size_t begin = found + kBoundary.size();
    const bool quotes = value.substr(begin).starts_with('"');
    if (quotes) ++begin;
    const std::size_t end =
        std::min(value.find_first_of(quotes ? "\"" : " \t;", begin), value.size());
    mime_value(value.substr(0, found), out);
    out.keep(value.substr(found, begin - found));
    shape(value.substr(begin, end - begin), out);
    mime_value(value.substr(end), out);
    return;
  }
  while (!value.empty()) {
    std::size_t end = 0;
    while (end < value.size() && in_mime_word(value[end])) ++end;
    if (end == 0) {
      out.keep(value.substr(0, 1));
      end = 1;
    } else if (is_mime_word(value.substr(0, end))) {
      out.keep(value.substr(0, end));
    } else {
      shape(value.substr(0, end), out);
    }
    value.remove_prefix(end);
  }
}

void ContentRedactor::boundary_line(std::string_view line, Rewriting& out) {
  std::string_view name = line.substr(2);
  name = without_trailing_blanks(name);
  const bool last = name.size() > 2 && name.ends_with("--");
  if (last) name.remove_suffix(2);
  out.keep(line.substr(0, 2));
  shape(name, out);
  out.keep(line.substr(2 + name.size()));
  base64_ = false;
  in_part_header_ = !last;
  field_ = Field::kNone;
}

void ContentRedactor::body_line(std::string_view line, Rewriting& out) {
  const bool boundary = !mid_line_ && line.size() > 2 && line.starts_with("--") &&
                        line.find_first_of(kBlanks) >= without_trailing_blanks(line).size();
  if (boundary) {
    boundary_line(line, out);
  } else if (policy_ == BodyPolicy::kKeep && !base64_) {
    kept_text(line, out);
  } else {
    shape(line, out);
  }
}

/// What is encoded (RFC 2047) nobody reads as it stands, and names in it would be overlooked.
void ContentRedactor::kept_text(std::string_view text, Rewriting& out) {
  TextRedactor kept(*names_, TextRedactor::Words::kKnownGo);
  std::size_t from = 0;
  for (std::size_t begin = text.find("=?"); begin != std::string_view::npos;
       begin = text.find("=?", begin + 2)) {
    const EncodedWord word = encoded_word(text.substr(begin));
    if (word.size == 0) continue;
    kept.rewrite(text.substr(from, begin - from), out);
    out.keep(text.substr(begin, word.text_begin));
    shape(text.substr(begin + word.text_begin, word.size - word.text_begin), out);
    begin += word.size - 2;
    from = begin + 2;
  }
  kept.rewrite(text.substr(from), out);
}

void ContentRedactor::shape(std::string_view text, Rewriting& out) {
  out.keep(shape_of(*names_, text));
}

/// Word by word: a Message-ID is the same one wherever its line was folded.
void ContentRedactor::shape_words(std::string_view text, Rewriting& out) {
  while (!text.empty()) {
    const std::size_t blanks = std::min(text.find_first_not_of(kBlanks), text.size());
    out.keep(text.substr(0, blanks));
    text.remove_prefix(blanks);
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    shape(text.substr(0, end), out);
    text.remove_prefix(end);
  }
}

}  // namespace smtpscope
