#pragma once

#include <string>
#include <vector>

#include "cli/live_run.h"

namespace smtpscope {

/// What a run with these options would do, for `smtpscope proxy --check`: a line for each matter.
/// `clients`, `filters`: by route, who may connect, in words, and which of its sessions are shown.
std::string plan_text(const LiveRunOptions& options, const std::vector<std::string>& clients,
                      const std::vector<std::string>& filters);

}  // namespace smtpscope
