#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

/// Of these strings a text holds at least one wherever the RE2 expression `pattern` matches in it:
/// "(no such|unknown) user" gives "no such" and "unknown", or " user". A text without them need not
/// be matched, which takes longer than to look for them. Empty: nothing is known, so match.
std::vector<std::string> required_words(std::string_view pattern);

}  // namespace smtpscope
