#pragma once

#include <string>
#include <string_view>

namespace smtpscope {

/// The text of a header field with its encoded words (RFC 2047) decoded to UTF-8, as people read
/// it. Of the character sets those are known that need no table of others: US-ASCII, UTF-8,
/// ISO-8859-1 and -15, Windows-1252. A word of another one, or one that is not well formed, stays
/// as it is: what converts any set there is (iconv) loads code that the sender of a mail would
/// choose.
std::string decode_encoded_words(std::string_view text);

}  // namespace smtpscope
