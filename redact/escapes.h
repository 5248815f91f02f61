#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smtpscope {

/// xtext (RFC 3461 4): "+3D" for "=". What is no such escape stays as it is.
std::string decode_xtext(std::string_view text);
std::string encode_xtext(std::string_view text);
/// The same, but octets that `like` has as they are, against the rule, stay so here.
std::string encode_xtext(std::string_view text, std::string_view like);

/// The "\x{20AC}" of RFC 6533 3, for the characters beyond ASCII in an original recipient, as
/// UTF-8.
std::string decode_unitext(std::string_view text);
/// The characters beyond ASCII as "\x{20AC}".
std::string encode_unitext(std::string_view text);

/// Quoted-printable (RFC 2045 6.7): "=C3=A4", and lines joined that end in "=". Also "%C3", as URLs
/// have it, for `mark` '%'.
std::string decode_quoted(std::string_view text, char mark = '=');

}  // namespace smtpscope
