#pragma once

#include <span>
#include <string>
#include <string_view>

namespace smtpscope {

// Replies as they came, with their line ends, made into others. RFC 5321 4.2.1: all lines but the
// last have a hyphen behind the code; that stays right.

/// A reply to EHLO without the keywords (in upper case). The same text if it has none of them.
std::string without_keywords(std::string_view reply, std::span<const std::string> keywords);

/// A reply to EHLO that offers the keyword (upper case) with these parameters, in the place where
/// it was offered, or at its end.
std::string with_keyword(std::string_view reply, std::string_view keyword,
                         std::string_view parameters);

/// Its last line alone.
std::string last_line(std::string_view reply);

/// With `given` in the place of `found` where the reply begins with that. Codes alone are
/// exchanged in each line.
std::string with_beginning(std::string_view reply, std::string_view found, std::string_view given);

}  // namespace smtpscope
