#include "redact/text_redactor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "redact/standard_words.h"
#include "redact/word_cipher.h"

namespace smtpscope {
namespace {

/// Of a word, as texts have them.
bool in_text_word(char c) { return is_alphanumeric(c) || c == '_' || is_beyond_ascii(c); }
/// Of a word with hyphens.
bool in_hyphened(char c) { return in_text_word(c) || c == '-'; }
/// Of a host name, a version.
bool in_dotted(char c) { return in_hyphened(c) || c == '.'; }
/// dot-atom of RFC 5322 3.2.3, and letters beyond ASCII (RFC 6531 3.3).
bool in_address(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-/=?^_`{|}~.";
  return is_alphanumeric(c) || is_beyond_ascii(c) || kMarks.find(c) != std::string_view::npos;
}
bool in_ipv6(char c) {
  return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'F') || c == ':' || c == '.';
}

/// Numbers of so many digits count something, or are a time or a code; longer ones may identify.
constexpr std::size_t kMostDigits = 4;

/// Longer things are no address (RFC 5321 4.5.3.1.3), and hostile text shall not be read anew from
/// each of its octets on.
constexpr std::size_t kLongestAddress = 256;
constexpr std::size_t kLongestIpAddress = 46;

/// Longer than the longest standard word.
constexpr std::size_t kLongestStandard = 41;

std::size_t run_of(std::string_view text, bool (*belongs)(char)) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
}

std::size_t digits_at(std::string_view text) { return run_of(text, is_digit); }

/// Overwritten in place with X, which findings look for.
bool is_masked(std::string_view word) {
  return word.size() >= 4 && word.substr(0, 4) == "XXXX" &&
         std::ranges::count(word, 'X') + 1 >= static_cast<std::ptrdiff_t>(word.size());
}

/// Groups of digits as in an IPv4 address, from `text`'s beginning on.
struct Groups {
  std::array<unsigned, 4> values{};
  std::size_t count = 0;
  char separator = '\0';
  std::size_t size = 0;  // octets
};
Groups read_groups(std::string_view text) {
  Groups groups;
  std::size_t at = 0;
  while (groups.count < groups.values.size()) {
    const std::size_t digits = digits_at(text.substr(at, 4));
    if (digits == 0 || digits > 3) break;
    unsigned value = 0;
    for (const char c : text.substr(at, digits))
      value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 255) break;
    groups.values[groups.count++] = value;
    groups.size = at += digits;
    if (at + 1 >= text.size() || (text[at] != '.' && text[at] != '-' && text[at] != '_')) break;
    if (groups.separator != '\0' && text[at] != groups.separator) break;
    groups.separator = text[at++];
  }
  return groups;
}

std::string dotted_text(const Groups& groups) {
  return fmt::format("{}.{}.{}.{}", groups.values[0], groups.values[1], groups.values[2],
                     groups.values[3]);
}

/// The first `count` groups of an address, with `separator`.
std::string first_groups(std::string_view address, std::size_t count, char separator) {
  std::string text;
  for (const char c : address) {
    if (c == '.' && --count == 0) break;
    text += c == '.' ? separator : c;
  }
  return text;
}

/// ISO 8601, as logs and replies have it: "2026-11-30".
bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  return text.starts_with("19") || text.starts_with("20");
}

/// What begins so is a mechanism, a cipher, an encoding: "SCRAM-SHA-256", "TLS-1.3".
bool is_technical(std::string_view hyphened) {
  constexpr std::string_view kFirst[] = {"scram", "sha", "md5",  "aes",   "tls",    "ssl",
                                         "rsa",   "utf", "iso",  "rfc",   "ecdhe",  "dhe",
                                         "cram",  "x",   "ecdh", "ffdhe", "digest", "otp"};
  const std::string_view first = hyphened.substr(0, hyphened.find('-'));
  return std::ranges::any_of(
      kFirst, [&](std::string_view each) { return equal_ignoring_case(first, each); });
}

/// Such a word behind a number says that it counts, and is nobody's name.
bool is_unit(std::string_view word) {
  constexpr std::string_view kUnits[] = {
      "s",       "sec",     "secs",       "second",    "seconds",     "min",      "mins",
      "minute",  "minutes", "h",          "hour",      "hours",       "day",      "days",
      "byte",    "bytes",   "octet",      "octets",    "b",           "kb",       "mb",
      "gb",      "kib",     "mib",        "gib",       "ms",          "message",  "messages",
      "times",   "errors",  "recipients", "recipient", "connections", "commands", "attempts",
      "percent", "lines",   "characters", "sessions"};
  return std::ranges::any_of(
      kUnits, [&](std::string_view each) { return equal_ignoring_case(word, each); });
}

}  // namespace

/// What is being read, with what was found in it beforehand.
struct TextRedactor::Text {
  std::string_view octets;
  std::vector<KnownNames::Match> known;
  std::size_t next_known = 0;
  // The run of octets that may stand before "@", which is looked for once.
  mutable std::size_t address_run_end = 0;

  std::string_view from(std::size_t at) const { return octets.substr(at); }

  /// The known name that begins at `at`, if one does. Places are asked for in order.
  const KnownNames::Match* known_at(std::size_t at) {
    while (next_known < known.size() && known[next_known].begin < at) ++next_known;
    return next_known < known.size() && known[next_known].begin == at ? &known[next_known]
                                                                      : nullptr;
  }
  std::size_t end_of_address_run(std::size_t at) const {
    if (at >= address_run_end) address_run_end = at + run_of(from(at), in_address);
    return address_run_end;
  }
};

std::string TextRedactor::rewritten(std::string_view text) {
  Rewriting out;
  rewrite(text, out);
  return out.text();
}

void TextRedactor::rewrite(std::string_view octets, Rewriting& out) {
  Text text{octets, {}, 0, 0};
  if (names_.known() != nullptr) text.known = names_.known()->find(octets);
  for (std::size_t at = 0; at < octets.size();) {
    const KnownNames::Match* known = text.known_at(at);
    std::size_t end = mailbox(text, at, out);
    if (end == at) end = ipv6(text, at, out);
    if (end == at && known != nullptr && !in_text_word(octets[at])) {
      out.put(known->end - at, names_.of(known->kind, octets.substr(at, known->end - at)));
      end = known->end;
    }
    if (end == at && words_ != Words::kKnownGo) end = phone(text, at, out);
    if (end == at) end = dotted(text, at, out);
    if (end == at) out.keep(octets.substr(end++, 1));
    at = end;
  }
}

/// "local@domain" or "local@[literal]" at `at`; gives where it ends, `at` if there is none.
/// "@domain" alone counts too.
std::size_t TextRedactor::mailbox(const Text& text, std::size_t at, Rewriting& out) {
  const std::string_view rest = text.from(at);
  // What stands around an address more often than in it.
  if (rest.front() == '\'' || rest.front() == '=' || rest.front() == '*') return at;
  const std::size_t local = text.end_of_address_run(at) - at;
  if (local > kLongestAddress || local == rest.size() || rest[local] != '@') return at;
  std::size_t end = local + 1;
  if (end < rest.size() && rest[end] == '[') {
    const std::string_view behind = rest.substr(0, end + kLongestAddress);
    end = std::min(behind.find(']', end), behind.size() - 1) + 1;
    const auto literal = rest.substr(local + 1, end - local - 1);
    if (literal.back() != ']' || std::ranges::any_of(literal, is_blank)) return at;
  } else {
    end += run_of(rest.substr(end), in_dotted);
    while (end > local + 1 && (rest[end - 1] == '.' || rest[end - 1] == '-')) --end;
  }
  if (end == local + 1) return at;
  if (local > 0) {
    out.put(end, names_.mailbox(rest.substr(0, end)));
  } else {
    out.keep("@");
    out.put(end - 1, names_.host(rest.substr(1, end - 1)));
  }
  return at + end;
}

std::size_t TextRedactor::ipv6(const Text& text, std::size_t at, Rewriting& out) {
  const std::string_view rest = text.from(at);
  std::size_t end = run_of(rest.substr(0, kLongestIpAddress), in_ipv6);
  while (end > 0 &&
         (rest[end - 1] == '.' || (rest[end - 1] == ':' && !rest.substr(0, end).ends_with("::")))) {
    --end;
  }
  const std::string_view found = rest.substr(0, end);
  if (std::ranges::count(found, ':') < 2) return at;
  const auto chosen = names_.address(found);
  if (!chosen) return at;
  out.put(end, *chosen);
  return at + end;
}

/// "+49 30 1234567", "(030) 12 34 56", "0800-123-4567": groups of digits, seven or more in all.
std::size_t TextRedactor::phone(const Text& text, std::size_t at, Rewriting& out) {
  constexpr std::size_t kLeastDigits = 7, kMostPhoneDigits = 20, kMostPhone = 40;
  const std::string_view rest = text.from(at).substr(0, kMostPhone);
  const char first = rest.front();
  if (first != '+' && first != '(' && first != '0') return at;
  if (at > 0 && in_dotted(text.octets[at - 1])) return at;
  const std::string_view separators = first == '+' ? " -./()" : " -/()";
  std::size_t digits = 0;
  std::size_t end = 0;
  for (std::size_t i = first == '+' ? 1 : 0; i < rest.size(); ++i) {
    if (is_digit(rest[i])) {
      end = i + 1;
      ++digits;
      continue;
    }
    const bool twice = i > 0 && rest[i] == rest[i - 1];
    if (separators.find(rest[i]) == std::string_view::npos || twice) break;
  }
  if (digits < kLeastDigits || digits > kMostPhoneDigits) return at;
  if (end < rest.size() && (in_text_word(rest[end]) || rest[end] == ':' || rest[end] == '.')) {
    // A sentence may end behind it.
    const bool ends = rest[end] == '.' && (end + 1 == rest.size() || !in_text_word(rest[end + 1]));
    if (!ends) return at;
  }
  out.put(end, names_.word(rest.substr(0, end)));
  return at + end;
}

std::size_t TextRedactor::dotted(Text& text, std::size_t at, Rewriting& out) {
  const std::string_view rest = text.from(at);
  if (!in_text_word(rest.front())) return at;
  std::size_t size = run_of(rest, in_dotted);
  while (size > 0 && (rest[size - 1] == '.' || rest[size - 1] == '-')) --size;
  const std::string_view run = rest.substr(0, size);
  const KnownNames::Match* known = text.known_at(at);
  if (known != nullptr && known->end - at >= size) {
    out.put(known->end - at, names_.of(known->kind, rest.substr(0, known->end - at)));
    return known->end;
  }
  if (const auto chosen = names_.address(run)) {
    out.put(size, *chosen);
    return at + size;
  }
  if (looks_like_domain(run)) {
    // "alice.smith" looks like one; who knows that it is a user's name says so.
    out.put(size, names_.is_known_user(run) ? names_.local_part(run) : names_.domain(run));
    return at + size;
  }
  if (names_.known() != nullptr && names_.known()->is_ordinary_name(run)) {
    const std::string_view behind = rest.substr(std::min(size + 1, rest.size()));
    const bool number = std::ranges::all_of(run, is_digit);
    const bool counts =
        number && (words_ == Words::kKnownGo ||
                   is_unit(behind.substr(0, run_of(behind.substr(0, 12), is_letter))));
    if (!counts) {
      out.put(size, names_.local_part(run));
      return at + size;
    }
  }
  // Piece by piece; but what the pieces make together may be no name that was to be replaced.
  Rewriting pieces;
  const std::size_t end = words(text, at, at + size, pieces);
  if (names_.holds_known(pieces.text())) {
    out.put(end - at, names_.word(rest.substr(0, end - at)));
  } else {
    out.append(pieces);
  }
  return end;
}

/// What is no name as a whole: addresses in it, known names, words. Gives where it ends, which is
/// behind `end` if a known name does.
std::size_t TextRedactor::words(Text& text, std::size_t begin, std::size_t end, Rewriting& out) {
  std::size_t hyphened_end = begin;
  bool numbers_stay = true;
  std::size_t at = begin;
  while (at < end) {
    const std::string_view run = text.octets.substr(at, end - at);
    if (const KnownNames::Match* known = text.known_at(at)) {
      out.put(known->end - at, names_.of(known->kind, text.octets.substr(at, known->end - at)));
      at = known->end;
      continue;
    }
    if (is_digit(run.front()) && (at == begin || !is_digit(text.octets[at - 1]))) {
      std::size_t behind = ipv4(text, at, end, out);
      if (behind == at) behind = address_prefix(text, at, end, out);
      if (behind > at) {
        at = behind;
        continue;
      }
    }
    if (at >= hyphened_end) {
      const std::string_view hyphened = run.substr(0, run_of(run, in_hyphened));
      hyphened_end = at + std::max<std::size_t>(hyphened.size(), 1);
      const std::string_view whole = hyphened.substr(0, hyphened.find_last_not_of('-') + 1);
      // Numbers that are a part of something name it: "host-12-34", "555-1234".
      const bool several = whole.find('-') != std::string_view::npos;
      const bool letters =
          !std::ranges::all_of(whole, [](char c) { return is_digit(c) || c == '-'; });
      const bool many = std::ranges::count_if(whole, is_digit) >= 7;
      numbers_stay = !several || (letters ? is_technical(whole) : !many || is_date(whole));
      // "message-id" and "mailer-daemon" are words of the list as they stand.
      if (several && words_ == Words::kStandardStay && whole.size() < kLongestStandard &&
          (is_standard_word(whole) || is_mime_word(whole))) {
        out.keep(whole);
        at += whole.size();
        continue;
      }
    }
    // Up to the next octet of another kind, or the next thing that was found in it.
    std::size_t size = run_of(run, in_text_word);
    if (size > 0 && !is_digit(run.front())) {
      // "ip203.0.113.97": where digits begin that are those of an address.
      const std::size_t letters = run_of(run.substr(0, size), [](char c) { return !is_digit(c); });
      if (letters < size && read_groups(run.substr(letters)).count == 4) size = letters;
    }
    if (size == 0) {
      out.keep(run.substr(0, 1));
      size = 1;
    } else {
      word(run.substr(0, size), numbers_stay, out);
    }
    at += size;
  }
  return at;
}

/// Four groups with dots, hyphens or underscores between them, as names of hosts have them; a fifth
/// one is a port. "203.0.113.5-9" is a range.
std::size_t TextRedactor::ipv4(const Text& text, std::size_t at, std::size_t end, Rewriting& out) {
  const std::string_view run = text.octets.substr(at, end - at);
  const Groups groups = read_groups(run);
  if (groups.count < 4) return at;
  const std::string_view behind = run.substr(groups.size);
  if (!behind.empty() && is_digit(behind.front())) return at;
  const auto chosen = names_.address(dotted_text(groups));
  if (!chosen) return at;
  out.put(groups.size, first_groups(*chosen, 4, groups.separator));
  std::size_t size = groups.size;
  if (groups.separator == '.' && behind.size() > 1 && behind.front() == '-') {
    const std::size_t digits = digits_at(behind.substr(1, 4));
    const bool ends =
        digits > 0 && digits < 4 && (1 + digits == behind.size() || !in_dotted(behind[1 + digits]));
    Groups last = groups;
    if (ends) {
      last.values[3] = 0;
      for (const char c : behind.substr(1, digits)) {
        last.values[3] = last.values[3] * 10 + static_cast<unsigned>(c - '0');
      }
    }
    if (ends && last.values[3] < 256) {
      const auto to = names_.address(dotted_text(last));
      out.keep("-");
      out.put(digits, to ? to->substr(to->rfind('.') + 1) : "0");
      size += 1 + digits;
    }
  }
  return at + size;
}

/// "203.0.113.*", "203.0.113.x", "203.0.113/24": the beginning of an address, two or three groups.
std::size_t TextRedactor::address_prefix(const Text& text, std::size_t at, std::size_t end,
                                         Rewriting& out) {
  Groups groups = read_groups(text.octets.substr(at, end - at));
  if (groups.count < 2 || groups.count > 3 || groups.separator == '_') return at;
  const std::string_view behind = text.from(at + groups.size);
  const bool wildcard =
      behind.size() > 1 && behind[0] == groups.separator &&
      (behind[1] == '*' || behind[1] == '%' ||
       (upper(behind[1]) == 'X' && (behind.size() == 2 || !in_text_word(behind[2]))));
  const bool network = behind.size() > 1 && behind[0] == '/' && is_digit(behind[1]);
  if (!wildcard && !network) return at;
  for (std::size_t i = groups.count; i < groups.values.size(); ++i) groups.values[i] = 0;
  const auto chosen = names_.address(dotted_text(groups));
  if (!chosen) return at;
  out.put(groups.size, first_groups(*chosen, groups.count, groups.separator));
  return at + groups.size;
}

void TextRedactor::word(std::string_view word, bool number_stays, Rewriting& out) {
  if (words_ == Words::kKnownGo) {
    out.keep(word);
    return;
  }
  const bool number = std::ranges::all_of(word, is_digit);
  const bool standard = words_ == Words::kStandardStay && is_standard_word(word);
  if (number && !number_stays) {
    out.put(word.size(), names_.word(word));
    return;
  }
  if (standard || is_masked(word) || (number && word.size() <= kMostDigits) ||
      (word.size() == 1 && !is_beyond_ascii(word.front()))) {
    out.keep(word);
    return;
  }
  const std::string_view telling = telling_part(word);
  if (telling.empty()) {
    out.put(word.size(), names_.word(word));
    return;
  }
  const auto before = static_cast<std::size_t>(telling.data() - word.data());
  const std::string_view behind = word.substr(before + telling.size());
  if (before > 0) out.put(before, names_.word(word.substr(0, before)));
  out.keep(telling);
  if (!behind.empty()) out.put(behind.size(), names_.word(behind));
}

}  // namespace smtpscope
