#pragma once

#include <string_view>

namespace smtpscope {

/// The word, in any case, is one of those that mail programs say to everybody: of the texts of RFC
/// 5321 and 3463, of the replies of common servers, of extensions, mechanisms and header fields,
/// and plain English around them. It says nothing about who was spoken of, so it stays readable.
bool is_standard_word(std::string_view word);

/// The longest part of `word`, in any case, that findings look for in texts ("greylist" in
/// "pregreylisting"); empty when there is none. Where it stands in an unknown word it stays, and no
/// pseudonym has one: otherwise the redacted session would get other findings.
std::string_view telling_part(std::string_view word);

/// A keyword of an SMTP extension, in any case: registered with IANA, or one that servers are known
/// to offer.
bool is_extension_keyword(std::string_view word);

/// A word of MIME and of what its fields say (RFC 2045 to 2047, 2183), in any case.
bool is_mime_word(std::string_view word);

}  // namespace smtpscope
