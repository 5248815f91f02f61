#include "parser/credentials.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "base/base64.h"
#include "parser/command_line.h"
#include "parser/item.h"

namespace smtpscope {
namespace {

constexpr std::size_t kNowhere = std::string_view::npos;

std::size_t behind_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

std::size_t behind_word(std::string_view text, std::size_t at) {
  while (at < text.size() && !is_blank(text[at])) ++at;
  return at;
}

bool begins_with_word(std::string_view text, std::string_view word) {
  return equal_ignoring_case(text.substr(0, word.size()), word);
}

/// Octets that stand in no command: some servers, and all people, see what is behind them.
bool is_odd_octet(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet >= 0x7f || (octet < 0x20 && octet != '\t');
}

/// sasl-mech of RFC 4422 3.1, in either case.
bool is_mechanism_name(std::string_view word) {
  return !word.empty() && word.size() <= 20 && std::all_of(word.begin(), word.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
  });
}

/// Mechanisms that are used, for where nothing but their name tells that they are one.
bool is_known_mechanism(std::string_view word) {
  constexpr std::string_view kMechanisms[] = {
      "PLAIN",  "LOGIN",   "CRAM-MD5",    "CRAMMD5",  "DIGEST-MD5", "NTLM",      "GSSAPI",
      "XOAUTH", "XOAUTH2", "OAUTHBEARER", "EXTERNAL", "ANONYMOUS",  "GSS-SPNEGO"};
  return begins_with_word(word, "SCRAM-") ||
         std::any_of(std::begin(kMechanisms), std::end(kMechanisms),
                     [&](std::string_view each) { return equal_ignoring_case(word, each); });
}

/// Where the response begins in "PLAIN response", which stands at `at`.
std::size_t behind_mechanism(std::string_view line, std::size_t at) {
  const std::size_t mechanism = behind_blanks(line, at);
  const std::size_t mechanism_end = behind_word(line, mechanism);
  if (mechanism == line.size()) return kNowhere;
  if (!is_mechanism_name(line.substr(mechanism, mechanism_end - mechanism))) return mechanism;
  const std::size_t response = behind_blanks(line, mechanism_end);
  if (response == line.size()) return kNowhere;
  if (line[response] == '=' && behind_blanks(line, response + 1) == line.size()) return kNowhere;
  return response;
}

/// AUTH or X-EXPS, which would stand at `at`.
std::size_t credentials_of_auth(std::string_view line, std::size_t at) {
  constexpr std::string_view kAuthWords[] = {"AUTH", "X-EXPS"};
  for (const std::string_view auth : kAuthWords) {
    if (!begins_with_word(line.substr(at), auth)) continue;
    const std::size_t behind = at + auth.size();
    if (behind == line.size()) return kNowhere;
    if (is_blank(line[behind])) return behind_mechanism(line, behind);
    if (!is_alphanumeric(line[behind])) return behind;
    const std::size_t end = behind_word(line, behind);
    const std::size_t response = behind_blanks(line, end);
    const bool glued = is_known_mechanism(line.substr(behind, end - behind));
    return glued && response < line.size() ? response : kNowhere;
  }
  return kNowhere;
}

/// Other protocols, spoken to the wrong port. What stands behind the word is credentials.
std::size_t credentials_of_others(std::string_view line, std::size_t at) {
  struct Login {
    std::string_view words;
    std::size_t arguments;  // at least, or it is no login
  };
  constexpr Login kLogins[] = {
      {"PASS", 1},           // RFC 1939 7, RFC 959 4.1.1
      {"PASSWD", 1},         // what people type
      {"PASSWORD", 1},       //
      {"LOGIN", 2},          // RFC 9051 6.2.3, behind a tag
      {"APOP", 2},           // RFC 1939 7
      {"AUTHINFO PASS", 1},  // RFC 4643 2.3
      {"AUTHINFO SASL", 2},  // RFC 4643 2.4
  };
  constexpr std::string_view kFields[] = {"Authorization:", "Proxy-Authorization:", "Cookie:"};
  for (const std::string_view field : kFields) {
    if (!begins_with_word(line.substr(at), field)) continue;
    // RFC 9110 11.4: a scheme, and behind it the credentials.
    const std::size_t value = behind_blanks(line, at + field.size());
    const std::size_t behind = behind_blanks(line, behind_word(line, value));
    if (value == line.size()) return kNowhere;
    return behind == line.size() ? value : behind;
  }
  const auto login_at = [&](std::size_t begin) {
    for (const Login& login : kLogins) {
      const std::size_t end = begin + login.words.size();
      if (!begins_with_word(line.substr(begin), login.words) || end >= line.size()) continue;
      if (!is_blank(line[end])) continue;
      const std::size_t first = behind_blanks(line, end);
      if (first == line.size()) continue;
      if (login.arguments == 2 && behind_blanks(line, behind_word(line, first)) == line.size()) {
        continue;
      }
      return first;
    }
    constexpr std::string_view kAuthenticate = "AUTHENTICATE";  // RFC 9051 6.2.2
    const std::size_t end = begin + kAuthenticate.size();
    if (begins_with_word(line.substr(begin), kAuthenticate) && end < line.size() &&
        is_blank(line[end])) {
      return behind_mechanism(line, end);
    }
    return kNowhere;
  };
  if (const std::size_t found = login_at(at); found != kNowhere) return found;
  // A tag of IMAP (RFC 9051 9).
  constexpr std::size_t kLongestTag = 16;
  const std::size_t tag_end = at + behind_word(line.substr(at, kLongestTag + 1), 0);
  if (tag_end == line.size() || tag_end - at > kLongestTag) return kNowhere;
  const std::size_t command = behind_blanks(line, tag_end);
  if (!begins_with_word(line.substr(command), "LOGIN") &&
      !begins_with_word(line.substr(command), "AUTHENTICATE")) {
    return kNowhere;
  }
  return login_at(command);
}

/// "=" of an attribute in `text`, in any order: `name` is one of those between the separators.
bool has_attribute(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != kNowhere; at = text.find(name, at + 1)) {
    if (at == 0 || text[at - 1] == ',' || text[at - 1] == '\1' || text[at - 1] == ' ') return true;
  }
  return false;
}

bool has_no_control(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// RFC 4616 2: [authzid] NUL authcid NUL passwd.
bool is_plain_message(std::string_view decoded) {
  const std::size_t first = decoded.find('\0');
  if (first == kNowhere) return false;
  const std::size_t second = decoded.find('\0', first + 1);
  if (second == kNowhere || second == first + 1 || second + 1 == decoded.size()) return false;
  return has_no_control(decoded.substr(0, first)) &&
         has_no_control(decoded.substr(first + 1, second - first - 1)) &&
         has_no_control(decoded.substr(second + 1));
}

/// RFC 2195 2: the name, a blank, and a digest of 32 hexadecimal digits.
bool is_cram_message(std::string_view decoded) {
  constexpr std::size_t kDigest = 32;
  if (decoded.size() < kDigest + 2 || decoded[decoded.size() - kDigest - 1] != ' ') return false;
  return has_no_control(decoded) && std::all_of(decoded.end() - kDigest, decoded.end(), [](char c) {
           return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'F');
         });
}

/// The token of a URL with URLAUTH (RFC 4467 4: ";URLAUTH=" access ":" mechanism ":" token).
void find_url_token(std::string_view line, std::vector<TextRange>& found) {
  constexpr std::string_view kUrlAuth = ";URLAUTH=";
  const auto at = std::search(line.begin(), line.end(), kUrlAuth.begin(), kUrlAuth.end(),
                              [](char a, char b) { return upper(a) == b; });
  if (at == line.end()) return;
  const auto begin = static_cast<std::size_t>(at - line.begin());
  const std::size_t end = behind_word(line, begin);
  const std::size_t colon = line.substr(0, end).rfind(':');
  if (colon == kNowhere || colon < begin || colon + 1 == end) return;
  found.push_back({colon + 1, end});
}

}  // namespace

std::size_t find_credentials(std::string_view line) {
  for (std::size_t at = behind_blanks(line, 0); at < line.size();) {
    std::size_t found = credentials_of_auth(line, at);
    if (found == kNowhere) found = credentials_of_others(line, at);
    if (found != kNowhere) return found;
    at = static_cast<std::size_t>(
        std::find_if(line.begin() + static_cast<std::ptrdiff_t>(at), line.end(), is_odd_octet) -
        line.begin());
    while (at < line.size() && (is_odd_octet(line[at]) || is_blank(line[at]))) ++at;
  }
  return kNowhere;
}

void find_credential_words(std::string_view line, std::vector<TextRange>& found) {
  if (equal_ignoring_case(line.substr(0, 4), "BURL")) {
    find_url_token(line, found);
    return;
  }
  // What is shorter has no structure to be told by.
  constexpr std::size_t kShortest = 12;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at;
    while (end < line.size() && (base64_value(line[end]) >= 0 || line[end] == '=')) ++end;
    if (end - at >= kShortest && is_sasl_response(decode_base64(line.substr(at, end - at)))) {
      found.push_back({at, end});
    }
    at = std::max(end, at + 1);
  }
}

bool may_hold_credentials(std::string_view beginning, std::uint16_t flags) {
  // No verb is longer, so no more needs to be looked at.
  constexpr std::size_t kLongestVerb = 16;
  const std::size_t word = behind_blanks(beginning, 0);
  const std::string_view head = beginning.substr(word, kLongestVerb + 1);
  const std::size_t end = behind_word(head, 0);
  if (end == head.size()) return true;
  return may_hold_credentials(verb_of(head.substr(0, end)), flags);
}

bool may_hold_credentials(Verb verb, std::uint16_t flags) {
  constexpr std::uint16_t kOdd = kHasNul | kHasEightBit | kHasBareCr | kHasControl;
  return verb == Verb::kUnknown || verb == Verb::kAuth || verb == Verb::kXexps ||
         verb == Verb::kBurl || (flags & kOdd) != 0;
}

bool looks_like_response(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '/' || c == '=' || c == '#';
  });
}

bool is_sasl_response(std::string_view decoded) {
  constexpr std::string_view kNtlm("NTLMSSP\0", 8);
  if (decoded.starts_with(kNtlm) || is_plain_message(decoded) || is_cram_message(decoded)) {
    return true;
  }
  if (decoded.find("\1auth=") != kNowhere) return true;
  if (!has_no_control(decoded)) return false;
  const bool scram = has_attribute(decoded, "r=") &&
                     (has_attribute(decoded, "n=") || has_attribute(decoded, "p="));
  const bool digest = has_attribute(decoded, "response=") && has_attribute(decoded, "nonce=");
  return scram || digest;
}

}  // namespace smtpscope
