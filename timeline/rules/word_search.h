#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace smtpscope {

/// One of `words`, which are in lower case, stands somewhere in `text`, in whatever case. For the
/// free text of replies and error messages: a hint, never a protocol element (RFC 5321 4.2).
inline bool mentions_any(std::string_view text, std::initializer_list<std::string_view> words) {
  const auto same = [](char want, char got) {
    return want == (got >= 'A' && got <= 'Z' ? static_cast<char>(got - 'A' + 'a') : got);
  };
  return std::ranges::any_of(words, [&](std::string_view word) {
    return std::search(text.begin(), text.end(), word.begin(), word.end(),
                       [&](char got, char want) { return same(want, got); }) != text.end();
  });
}

}  // namespace smtpscope
