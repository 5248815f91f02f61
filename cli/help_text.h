#pragma once

#include <cstddef>
#include <string>

#include "cli/command_usage.h"

namespace smtpscope {

/// What --help prints: usage, options by group with their defaults, examples and exit status, in
/// lines of at most `width` columns.
std::string help_text(const CLI::App& app, std::size_t width);

}  // namespace smtpscope
