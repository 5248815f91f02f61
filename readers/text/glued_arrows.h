#pragma once

#include <string_view>
#include <vector>

namespace smtpscope {

/// PHPMailer prints its debug output as HTML; copied from where that is not shown as such, all of
/// it is one line: "SERVER -> CLIENT: 220 mx 2025-11-20 10:00:00 CLIENT -> SERVER: EHLO a".
///
/// Several of its arrows are in `line`.
bool shows_glued_arrows(std::string_view line);

/// Adds to `lines` the parts of `line`, each from its arrow, or the stamp before that, up to the
/// next; a reply of several lines is parted too. Views into `line`.
void split_at_arrows(std::string_view line, std::vector<std::string_view>& lines);

}  // namespace smtpscope
