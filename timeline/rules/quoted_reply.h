#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "parser/item.h"

namespace smtpscope {

/// The text of a reply's last line, which is the diagnosis where a server refuses; as much of it as
/// a sentence bears.
inline std::string_view last_words(const Reply& reply) {
  constexpr std::size_t kKept = 160;
  return reply.lines.empty() ? std::string_view() : reply.lines.back().text.substr(0, kKept);
}

/// Code and text of a reply's last line, in quotation marks.
inline std::string quoted(const Reply& reply) {
  const std::string_view words = last_words(reply);
  return words.empty() ? fmt::format("{}", reply.code)
                       : fmt::format("\"{} {}\"", reply.code, words);
}

/// `text` contains `words`, which are in lower case; letter case does not count.
inline bool mentions(std::string_view text, std::string_view words) {
  const auto same = [](char c, char lower) {
    return (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == lower;
  };
  // Not ranges::search: Clang 14 cannot read what libstdc++ 12 returns.
  return std::search(text.begin(), text.end(), words.begin(), words.end(), same) != text.end();
}

}  // namespace smtpscope
