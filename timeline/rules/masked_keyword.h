#pragma once

#include <algorithm>
#include <string_view>

#include "base/ascii.h"
#include "parser/item.h"

namespace smtpscope {

/// The keyword on a line of an EHLO reply: what stands before the first blank. "AUTH=LOGIN" is an
/// old spelling of AUTH, so "=" ends a keyword too.
inline std::string_view keyword_on(const ReplyLine& line) {
  const auto ends = [](char c) { return is_blank(c) || c == '='; };
  const auto end = std::ranges::find_if(line.text, ends);
  return line.text.substr(0, static_cast<std::size_t>(end - line.text.begin()));
}

/// Overwritten in place with "X": four or more, and at most one letter behind them that tells such
/// keywords apart ("XXXXXXXA").
inline bool is_masked_keyword(std::string_view keyword) {
  if (!keyword.starts_with("XXXX")) return false;
  const std::size_t xs = std::min(keyword.find_first_not_of('X'), keyword.size());
  const std::string_view rest = keyword.substr(xs);
  return rest.empty() || (rest.size() == 1 && rest[0] >= 'A' && rest[0] <= 'Z');
}

/// RFC 5321 4.1.1.1: letters, digits, and hyphens behind the first.
inline bool is_lawful_keyword(std::string_view keyword) {
  return !keyword.empty() && is_alphanumeric(keyword.front()) &&
         std::ranges::all_of(keyword, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

}  // namespace smtpscope
