#include "parser/recent_secrets.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/base64.h"

namespace smtpscope {
namespace {

constexpr std::size_t kNotThere = std::string_view::npos;

/// Digits of a reply's code (RFC 5321 4.2).
constexpr std::size_t kCode = 3;

bool of_base64(char c) { return base64_value(c) >= 0; }

/// Of what tokens and encoded responses are made (RFC 6750 2.1).
bool of_token(char c) { return of_base64(c) || c == '.' || c == '~' || c == '='; }

bool of_word(char c) { return is_alphanumeric(c) || static_cast<unsigned char>(c) >= 0x80; }

bool is_whole_word(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin == 0 || !of_word(text[begin - 1]) || !of_word(text[begin])) &&
         (end == text.size() || !of_word(text[end]) || !of_word(text[end - 1]));
}

bool is_overwritten(std::string_view text) { return text.find_first_not_of("#= ") == kNotThere; }

bool is_printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// The next part of `list` up to `separator`, which is taken off too.
std::string_view cut_part(std::string_view& list, char separator) {
  const std::size_t end = std::min(list.find(separator), list.size());
  const std::string_view part = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return part;
}

std::string_view without_quotes(std::string_view text) {
  if (text.size() > 1 && text.front() == '"' && text.back() == '"') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

/// What servers ask for in LOGIN, and how: a secret that is one of these words is not hidden by
/// overwriting it, but told.
bool is_prompt(std::string_view lower) {
  return lower == "username:" || lower == "password:" || lower == "user name" ||
         lower == "username" || lower == "password";
}

}  // namespace

Prompt prompt_of(std::string_view challenge) {
  const std::string decoded = in_lower_case(decode_base64(challenge));
  if (decoded.starts_with("user") || decoded.starts_with("login")) return Prompt::kName;
  return decoded.starts_with("pass") ? Prompt::kPassword : Prompt::kOther;
}

void RecentSecrets::learn(std::string_view text, bool names) {
  text = without_trailing_blanks(text);
  if (is_overwritten(text) || text == "*") return;
  const std::size_t padding = std::min(text.find('='), text.size());
  const bool encoded =
      padding >= 2 && padding % 4 != 1 &&
      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(padding), of_base64) &&
      text.find_first_not_of('=', padding) == kNotThere;
  if (!encoded) {
    learn_words(text, names);
    return;
  }
  const std::string decoded = decode_base64(text);
  if (is_prompt(in_lower_case(decoded))) return;
  add(text.substr(0, padding), false);
  learn_decoded(decoded, names);
}

/// Not encoded, as in other protocols: the last word is the secret.
void RecentSecrets::learn_words(std::string_view text, bool names) {
  while (!text.empty()) {
    const std::string_view word = cut_part(text, ' ');
    const bool last = text.find_first_not_of(' ') == kNotThere;
    add(without_quotes(word), last ? names : true);
    if (last) return;
  }
}

void RecentSecrets::learn_decoded(std::string_view decoded, bool names) {
  if (decoded.starts_with("NTLMSSP")) return;  // hashes, and UTF-16
  if (decoded.find('\0') != kNotThere) {       // RFC 4616 2
    while (!decoded.empty()) {
      const std::string_view part = cut_part(decoded, '\0');
      if (is_printable(part)) add(part, !decoded.empty());
    }
    return;
  }
  if (decoded.find('\1') != kNotThere) {  // RFC 7628 3.1, and Google's XOAUTH2
    while (!decoded.empty()) {
      const std::string_view part = cut_part(decoded, '\1');
      const std::string lower = in_lower_case(part);
      if (lower.starts_with("user=")) add(part.substr(5), true);
      if (!lower.starts_with("auth=")) continue;
      const std::size_t blank = part.find(' ');
      add(part.substr(blank == kNotThere ? 5 : blank + 1), false);
    }
    return;
  }
  if (!is_printable(decoded)) return;
  if (is_sasl_response(decoded)) {
    if (decoded.find(',') == kNotThere) {  // RFC 2195 2: a name and a digest
      const std::size_t blank = decoded.rfind(' ');
      add(decoded.substr(0, blank), true);
      add(decoded.substr(blank + 1), false);
      return;
    }
    // RFC 5802 7, RFC 2831 2.1.2; nonces are known to both sides and no secrets.
    while (!decoded.empty()) {
      const std::string_view part = cut_part(decoded, ',');
      if (part.starts_with("n=")) add(part.substr(2), true);
      if (part.starts_with("p=")) add(part.substr(2), false);
      if (part.starts_with("username=")) add(without_quotes(part.substr(9)), true);
      if (part.starts_with("response=")) add(part.substr(9), false);
    }
    return;
  }
  add(decoded, names);
  // RFC 7617 2: a name, a colon, a password.
  const std::size_t colon = decoded.find(':');
  if (names || colon == kNotThere) return;
  add(decoded.substr(0, colon), true);
  add(decoded.substr(colon + 1), false);
}

void RecentSecrets::add(std::string_view text, bool name) {
  if (text.empty() || is_overwritten(text)) return;
  Secret secret{in_lower_case(text.substr(0, kKept)), text.size() > kKept, name};
  if (is_prompt(secret.text)) return;
  std::erase_if(secrets_, [&](const Secret& each) {
    return each.text == secret.text && (each.name || !secret.name);
  });
  const bool known = std::any_of(secrets_.begin(), secrets_.end(),
                                 [&](const Secret& each) { return each.text == secret.text; });
  if (known) return;  // a password that is also a name stays a password
  if (secrets_.size() == kMost) secrets_.erase(secrets_.begin());
  secrets_.push_back(std::move(secret));
}

std::vector<TextRange> RecentSecrets::find(std::string_view line, bool answers_login,
                                           bool unfinished) const {
  std::vector<TextRange> found;
  std::size_t code = 0;
  while (code < std::min(kCode, line.size()) && is_digit(line[code])) ++code;
  line.remove_prefix(code);
  const std::string lower = in_lower_case(line);
  for (const Secret& secret : secrets_) {
    const bool common = secret.name || secret.text.size() < kShortest;
    if (answers_login || !common) find_plainly(secret, lower, found);
  }
  find_encoded(line, answers_login, found);
  if (unfinished) find_begun(lower, found);
  for (TextRange& range : found) {
    range.begin += code;
    range.end += code;
  }
  std::sort(found.begin(), found.end(),
            [](const TextRange& a, const TextRange& b) { return a.begin < b.begin; });
  // One of those that touch.
  std::size_t kept = 0;
  for (const TextRange& range : found) {
    if (kept > 0 && range.begin <= found[kept - 1].end) {
      found[kept - 1].end = std::max(found[kept - 1].end, range.end);
    } else {
      found[kept++] = range;
    }
  }
  found.resize(kept);
  return found;
}

void RecentSecrets::find_plainly(const Secret& secret, std::string_view lower,
                                 std::vector<TextRange>& found) {
  const std::string_view text = secret.text;
  const bool anywhere = text.size() >= kAnywhere;
  // A long one may be quoted in part: "'S3g5dlEy...'".
  const std::string_view wanted = anywhere && !secret.name ? text.substr(0, kAnywhere) : text;
  for (std::size_t at = lower.find(wanted); at != kNotThere; at = lower.find(wanted, at + 1)) {
    std::size_t end = at + wanted.size();
    while (end < lower.size() && end - at < text.size() && lower[end] == text[end - at]) ++end;
    if (secret.cut && end - at == text.size()) {
      while (end < lower.size() && of_token(lower[end])) ++end;
    }
    if (!anywhere && !is_whole_word(lower, at, end)) continue;
    found.push_back({at, end});
    at = end - 1;
  }
}

/// A run of base64 in which a secret is, wherever its octets begin in it.
void RecentSecrets::find_encoded(std::string_view line, bool answers_login,
                                 std::vector<TextRange>& found) const {
  // Most words are too short to hold any.
  std::size_t least = kAnywhere;
  for (const Secret& secret : secrets_) {
    if (answers_login || !secret.name) least = std::min(least, secret.text.size());
  }
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at;
    while (end < line.size() && of_base64(line[end])) ++end;
    if ((end - at) * 3 / 4 >= least && is_in_run(line.substr(at, end - at), answers_login)) {
      while (end < line.size() && line[end] == '=') ++end;
      found.push_back({at, end});
    }
    at = std::max(end, at + 1);
  }
}

bool RecentSecrets::is_in_run(std::string_view run, bool answers_login) const {
  // What stands in front may be of base64 too ("user/YWxpY2U="), and then it is not known where the
  // encoding begins.
  constexpr std::size_t kGroup = 4;
  for (std::size_t skipped = 0; skipped < std::min(kGroup, run.size()); ++skipped) {
    const std::string decoded = in_lower_case(decode_base64(run.substr(skipped)));
    if (skipped == 0 && is_prompt(decoded)) return false;
    std::vector<TextRange> inside;
    for (const Secret& secret : secrets_) {
      if (secret.name && !answers_login) continue;
      // A shorter one would be found by chance.
      if (secret.text.size() >= kShortest) find_plainly(secret, decoded, inside);
      if (!inside.empty() || (skipped == 0 && decoded == secret.text)) return true;
    }
  }
  return false;
}

void RecentSecrets::find_begun(std::string_view lower, std::vector<TextRange>& found) const {
  constexpr std::size_t kTells = 3;  // less is anybody's
  for (const Secret& secret : secrets_) {
    if (secret.name) continue;
    for (std::size_t size = std::min(secret.text.size(), lower.size()); size >= kTells; --size) {
      if (!lower.ends_with(std::string_view(secret.text).substr(0, size))) continue;
      found.push_back({lower.size() - size, lower.size()});
      break;
    }
  }
}

}  // namespace smtpscope
