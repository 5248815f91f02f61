#pragma once

#include <string>
#include <string_view>

namespace smtpscope {

class Pseudonyms;

/// Text of which only the form is left: letters become consonants, digits digits, characters beyond
/// ASCII others of as many octets; all else stays: blanks, dots, line ends, NULs. What they become
/// depends on the key and on all of `text`: what was equal stays equal, what was not does not, and
/// nothing can be read. No word of it is a verb of SMTP, or a name that was found.
std::string shape_of(Pseudonyms& names, std::string_view text);

}  // namespace smtpscope
