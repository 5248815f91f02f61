#pragma once

#include <string>
#include <string_view>

namespace smtpscope {

/// The line looks as if it were taken from the source of an HTML page: "&gt;", "<br>".
bool shows_html(std::string_view line);

/// What a browser shows of a line of HTML: character references (HTML 13.5) become what they stand
/// for, <br>, <p> and the like a line end, other tags that pages have are left out.
/// "<bob@example.net>" stays.
std::string text_of_html(std::string_view line);

}  // namespace smtpscope
