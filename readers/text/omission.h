#pragma once

#include <string_view>

namespace smtpscope {

/// A line with which whoever copied a text shows that lines are left out: "...", "[...]", "[snip]",
/// "<snip>", "(12 lines omitted)".
bool marks_omission(std::string_view line);

}  // namespace smtpscope
