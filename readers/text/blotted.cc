#include "readers/text/blotted.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace smtpscope {
namespace {

/// What people write, and the programs that hide things for them.
constexpr std::array<std::string_view, 14> kRedactors = {"redacted",     "removed",
                                                         "hidden",       "masked",
                                                         "censored",     "anonymi",
                                                         "anonymous",    "snip",
                                                         "obscured",     "sanitized",
                                                         "obfuscat",     "withheld",
                                                         "email protec", "email\xC2\xA0protec"};

/// "xxxx", "XXX", "****", "....", "####", "----".
bool is_one_character(std::string_view text) {
  constexpr std::string_view kFillers = "xX*.#-?_";
  return text.size() >= 3 && kFillers.find(text.front()) != std::string_view::npos &&
         text.find_first_not_of(text.front()) == std::string_view::npos;
}

}  // namespace

bool is_blotted(std::string_view text) {
  while (!text.empty() &&
         std::string_view("<>[](){}\"' ").find(text.front()) != std::string_view::npos) {
    text.remove_prefix(1);
  }
  while (!text.empty() &&
         std::string_view("<>[](){}\"' ").find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  if (is_one_character(text)) return true;
  const std::string lower = in_lower_case(text);
  if (std::any_of(kRedactors.begin(), kRedactors.end(), [&](std::string_view word) {
        return lower.find(word) != std::string_view::npos;
      })) {
    return true;
  }
  // "xxx@xxx.com", "user@***"
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return text.find("***") != std::string_view::npos;
  const std::string_view domain = text.substr(at + 1);
  return text.find("***") != std::string_view::npos || is_one_character(text.substr(0, at)) ||
         is_one_character(domain.substr(0, domain.find('.')));
}

bool replace_blotted_path(std::string& line, std::uint32_t number) {
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return false;
  std::size_t begin = line.find_first_not_of(' ', colon + 1);
  if (begin == std::string::npos) return false;
  std::size_t end = 0;  // behind the path
  if (line[begin] == '<') {
    // "<<redacted>>" nests.
    end = line.find('>', begin);
    if (end == std::string::npos) return false;
    while (end + 1 < line.size() && line[end + 1] == '>') ++end;
    ++end;
  } else if (line[begin] == '[' && line.find(']', begin) != std::string::npos) {
    end = line.find(']', begin) + 1;
  } else {
    end = std::min(line.find(' ', begin), line.size());
  }
  const std::string_view path = std::string_view(line).substr(begin, end - begin);
  if (path == "<>" || !is_blotted(path)) return false;
  line.replace(begin, end - begin, fmt::format("<redacted-{}@redacted.invalid>", number + 1));
  return true;
}

void replace_blotted_name(std::string& line, std::size_t at, std::string_view name, bool alone) {
  if (at >= line.size()) return;
  const std::size_t end = std::min(line.find(' ', at), line.size());
  const bool words_behind =
      std::any_of(line.begin() + static_cast<std::ptrdiff_t>(end), line.end(), is_letter);
  if (!alone && !words_behind) return;
  const std::string_view word = std::string_view(line).substr(at, end - at);
  // "mail.hidden-valley.example" is a name.
  const bool may_be_name =
      word.find('.') < word.size() && word.find("***") == std::string_view::npos;
  if (!may_be_name && is_blotted(word)) line.replace(at, end - at, name);
}

}  // namespace smtpscope
