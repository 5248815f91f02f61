#pragma once

#include <string>
#include <string_view>

namespace smtpscope {

/// More of a refusal's words than this is not looked at: RFC 5321 4.5.3.1.5 allows 512 octets a
/// line, and the longest known refusals have some ten lines of 80.
inline constexpr std::size_t kMaxReasonWords = 2048;

/// A refusal's words in the form in which they are looked at: letters small and without accents
/// (Latin and Cyrillic), line breaks and runs of blanks as one blank, addresses as "addr@" so that
/// what somebody is called is not taken for what the server says.
std::string plain_words(std::string_view text);

}  // namespace smtpscope
