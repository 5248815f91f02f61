#pragma once

#include <string>

#include "cli/live_run.h"

namespace smtpscope {

/// What a run with these options would do, for `smtpscope proxy --check`: a line for each matter.
/// `clients`: who may connect, in words.
std::string plan_text(const LiveRunOptions& options, const std::string& clients);

}  // namespace smtpscope
