#pragma once

#include <string>
#include <string_view>

#include "cli/command_usage.h"

namespace smtpscope {

// Manual pages in the language of scdoc(5), which turns them into roff.

/// The page of a command: smtpscope-proxy(1), or smtpscope(1) for the program itself. What cannot
/// be known from its options stands in cli/manual/<subcommand>.md.
std::string man_page(const CLI::App& app);
/// smtpscope-rules(7), from the words of all rules.
std::string man_page_of_rules();

}  // namespace smtpscope
