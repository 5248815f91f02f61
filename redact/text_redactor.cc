#include "redact/text_redactor.h"

#include <algorithm>

#include "base/ascii.h"
#include "redact/standard_words.h"
#include "redact/word_cipher.h"

namespace smtpscope {
namespace {

/// Of a word, as texts have them.
bool in_text_word(char c) { return is_alphanumeric(c) || c == '_' || is_beyond_ascii(c); }
/// Of a host name, a version, a word with hyphens.
bool in_dotted(char c) { return in_text_word(c) || c == '-' || c == '.'; }
/// dot-atom of RFC 5322 3.2.3, and letters beyond ASCII (RFC 6531 3.3).
bool in_address(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-/=?^_`{|}~.";
  return is_alphanumeric(c) || is_beyond_ascii(c) || kMarks.find(c) != std::string_view::npos;
}

/// Numbers of so many digits count something, or are a time or a code; longer ones may identify.
constexpr std::size_t kMostDigits = 4;

/// Longer things are no address (RFC 5321 4.5.3.1.3), and hostile text shall not be read anew from
/// each of its octets on.
constexpr std::size_t kLongestAddress = 256;
constexpr std::size_t kLongestIpAddress = 46;

std::size_t run_of(std::string_view text, bool (*belongs)(char)) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
}

/// Overwritten in place with X, which findings look for.
bool is_masked(std::string_view word) {
  return word.size() >= 4 && word.substr(0, 4) == "XXXX" &&
         std::ranges::count(word, 'X') + 1 >= static_cast<std::ptrdiff_t>(word.size());
}

}  // namespace

std::string TextRedactor::rewritten(std::string_view text) {
  Rewriting out;
  rewrite(text, out);
  return out.text();
}

void TextRedactor::rewrite(std::string_view text, Rewriting& out) {
  while (!text.empty()) {
    std::size_t taken = mailbox(text, out);
    if (taken == 0) taken = ipv6(text, out);
    if (taken == 0) taken = dotted(text, out);
    if (taken == 0) {
      out.keep(text.substr(0, 1));
      taken = 1;
    }
    text.remove_prefix(taken);
  }
}

/// "local@domain" or "local@[literal]" at the beginning; gives how many octets it took, 0 if there
/// is none. "@domain" alone counts too.
std::size_t TextRedactor::mailbox(std::string_view rest, Rewriting& out) {
  // What stands around an address more often than in it.
  if (rest.front() == '\'' || rest.front() == '=' || rest.front() == '*') return 0;
  const std::size_t local = run_of(rest.substr(0, kLongestAddress), in_address);
  if (local == rest.size() || rest[local] != '@') return 0;
  std::size_t end = local + 1;
  if (end < rest.size() && rest[end] == '[') {
    const std::string_view behind = rest.substr(0, end + kLongestAddress);
    end = std::min(behind.find(']', end), behind.size() - 1) + 1;
    const auto literal = rest.substr(local + 1, end - local - 1);
    if (literal.back() != ']' || std::ranges::any_of(literal, is_blank)) return 0;
  } else {
    end += run_of(rest.substr(end), in_dotted);
    while (end > local + 1 && (rest[end - 1] == '.' || rest[end - 1] == '-')) --end;
  }
  if (end == local + 1) return 0;
  if (local > 0) {
    out.put(end, names_.mailbox(rest.substr(0, end)));
  } else {
    out.keep("@");
    out.put(end - 1, names_.host(rest.substr(1, end - 1)));
  }
  return end;
}

std::size_t TextRedactor::ipv6(std::string_view rest, Rewriting& out) {
  const auto belongs = [](char c) {
    return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'F') || c == ':' || c == '.';
  };
  std::size_t end = run_of(rest.substr(0, kLongestIpAddress), belongs);
  // Within a longer word it is none.
  if (end < rest.size() && in_text_word(rest[end])) return 0;
  while (end > 0 &&
         (rest[end - 1] == '.' || (rest[end - 1] == ':' && !rest.substr(0, end).ends_with("::")))) {
    --end;
  }
  const std::string_view found = rest.substr(0, end);
  if (std::ranges::count(found, ':') < 2) return 0;
  const auto chosen = names_.address(found);
  if (!chosen) return 0;
  out.put(end, *chosen);
  return end;
}

std::size_t TextRedactor::dotted(std::string_view rest, Rewriting& out) {
  if (!in_text_word(rest.front())) return 0;
  std::size_t end = run_of(rest, in_dotted);
  while (end > 0 && (rest[end - 1] == '.' || rest[end - 1] == '-')) --end;
  const std::string_view run = rest.substr(0, end);
  if (const auto chosen = names_.address(run)) {
    out.put(end, *chosen);
  } else if (looks_like_domain(run)) {
    // "alice.smith" looks like one; who knows that it is a user's name says so.
    out.put(end, names_.is_known_user(run) ? names_.local_part(run) : names_.domain(run));
  } else {
    words(run, out);
  }
  return end;
}

void TextRedactor::words(std::string_view run, Rewriting& out) {
  while (!run.empty()) {
    // "message-id" and "mailer-daemon" are words of the list as they stand.
    std::size_t end = run_of(run, [](char c) { return in_text_word(c) || c == '-'; });
    while (end > 0 && run[end - 1] == '-') --end;
    if (words_ == Words::kNoneStay || !is_standard_word(run.substr(0, end)))
      end = run_of(run, in_text_word);
    if (end == 0) {
      out.keep(run.substr(0, 1));
      end = 1;
    } else {
      word(run.substr(0, end), out);
    }
    run.remove_prefix(end);
  }
}

void TextRedactor::word(std::string_view word, Rewriting& out) {
  if (words_ == Words::kKnownGo) {
    names_.is_known(word) ? out.put(word.size(), names_.word(word)) : out.keep(word);
    return;
  }
  const bool number = std::ranges::all_of(word, is_digit);
  const bool standard = words_ == Words::kStandardStay && is_standard_word(word);
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
