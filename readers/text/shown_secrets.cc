#include "readers/text/shown_secrets.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "base/ascii.h"
#include "parser/credentials.h"

namespace smtpscope {
namespace {

void overwrite_part(std::string& line, std::size_t begin, std::size_t end) {
  for (std::size_t at = begin; at < std::min(end, line.size()); ++at) line[at] = '#';
}

/// RFC 3986 3.2.1: "user:password@" behind "://".
void overwrite_url_passwords(std::string& line) {
  constexpr std::string_view kAuthority = "://";
  for (std::size_t at = line.find(kAuthority); at < line.size(); at = line.find(kAuthority, at)) {
    at += kAuthority.size();
    const std::size_t end = std::min(line.find_first_of(" /\"'<>\t", at), line.size());
    const std::size_t host = line.rfind('@', end);
    const std::size_t colon = line.find(':', at);
    if (host == std::string::npos || host < at || colon > host) continue;
    overwrite_part(line, colon + 1, host);
  }
}

void overwrite_named_passwords(std::string& line) {
  constexpr std::array<std::string_view, 6> kNames = {
      "password=", "passwd=", "pass=", "pwd=", "password: ", "password \""};
  const std::string lower = in_lower_case(line);
  for (const std::string_view name : kNames) {
    for (std::size_t at = lower.find(name); at < lower.size(); at = lower.find(name, at + 1)) {
      // "smtp_password_source=…" ends in none of them; "bypass=" does.
      const bool word = at == 0 || !is_letter(lower[at - 1]);
      const std::size_t begin = at + name.size();
      const bool quoted = begin < line.size() && (line[begin] == '"' || line[begin] == '\'');
      const std::size_t from = begin + (quoted ? 1 : 0);
      if (word) overwrite_part(line, from, line.find_first_of(" \t\"'<>,;)", from));
    }
  }
}

}  // namespace

std::string without_secrets(std::string_view line) {
  std::string shown(line);
  std::vector<TextRange> words;
  find_credential_words(line, words);
  for (const TextRange& word : words) overwrite_part(shown, word.begin, word.end);
  overwrite_url_passwords(shown);
  overwrite_named_passwords(shown);
  return shown;
}

}  // namespace smtpscope
