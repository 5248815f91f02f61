#pragma once

#include <string>
#include <string_view>

#include "redact/keyed_hash.h"

namespace smtpscope {

/// Text of which only the form is left: letters become x or o, capitals X or O, digits 0 or 9,
/// characters beyond ASCII one of two of as many octets. Which of the two depends on the key and on
/// all of `text`, so that what was equal stays equal and what was not does not, and nothing can be
/// read. Every other octet stays: blanks, dots, line ends, NULs.
std::string shape_of(KeyedHash& hash, std::string_view text);

}  // namespace smtpscope
