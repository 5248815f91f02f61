#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "parser/item.h"

namespace smtpscope {

/// So many octets of what was on the wire are quoted in a finding.
inline constexpr std::size_t kQuoted = 80;

/// The beginning of `text` between quotation marks; octets as they are, exporters escape them.
std::string in_quotes(std::string_view text);

/// Code and text of a reply's last line between quotation marks: "421 4.4.2 timeout".
std::string quoted_reply(unsigned code, std::string_view text);
std::string quoted_reply(const Reply& reply);

/// One of `words`, which are in lower case, stands in `text`; case does not matter.
bool mentions(std::string_view text, std::initializer_list<std::string_view> words);

/// What a reply answers, in words: "RCPT", "the end of the message", "an unknown command".
std::string_view asked_by(Answers kind, Verb verb);

}  // namespace smtpscope
