#pragma once

#include <string>
#include <string_view>

namespace smtpscope {

/// A whole reply to EHLO or LHLO, line ends included, without the lines that offer STARTTLS; every
/// other octet stays, but for the mark of what becomes the last line (RFC 5321 4.2.1: "250 "). The
/// first line, which names the server, stays whatever it says.
std::string without_starttls(std::string_view reply);

}  // namespace smtpscope
