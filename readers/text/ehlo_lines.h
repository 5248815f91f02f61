#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

/// The lines of a reply to EHLO that was written as one: "mx.example Hello [192.0.2.1] SIZE DSN".
/// It is taken apart before each keyword that servers are known to offer; both without codes. One
/// line if there is none.
std::vector<std::string> ehlo_lines(std::string_view text);

}  // namespace smtpscope
