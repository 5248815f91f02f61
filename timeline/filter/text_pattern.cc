#include "timeline/filter/text_pattern.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"
#include "base/utf8.h"

namespace smtpscope {
namespace {

std::size_t character_at(std::string_view text, std::size_t at) {
  return std::max<std::size_t>(utf8_sequence(text.substr(at)), 1);
}

/// Time is at most the product of the lengths; nothing is remembered but the last '*'.
bool matches_whole(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t behind_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      behind_star = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t += character_at(text, t);
    } else if (p < pattern.size() && pattern[p] == lower(text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      behind_star += character_at(text, behind_star);
      t = behind_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

TextPattern::TextPattern(std::string_view pattern, Where where)
    : pattern_(in_lower_case(pattern)),
      wild_(pattern_.find_first_of("*?") != std::string::npos),
      whole_(where == Where::kWhole || (where == Where::kPartOrWhole && wild_)) {
  if (wild_ && !whole_) pattern_ = "*" + pattern_ + "*";
}

bool TextPattern::matches(std::string_view text) const {
  if (wild_ || whole_) return matches_whole(pattern_, text);
  return std::search(text.begin(), text.end(), pattern_.begin(), pattern_.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end();
}

}  // namespace smtpscope
