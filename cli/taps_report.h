#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/rendering.h"
#include "timeline/rule_set.h"

namespace smtpscope {

class FileOutput;

/// What `smtpscope diff --taps` was asked for.
struct TapsRequest {
  std::vector<std::string> runs;  // near the client, near the server; two, or it says so
  std::size_t context = 2;        // exchanges shown around a change
  bool json = false;
  Rendering rendering;
};

/// One run of `smtpscope diff --taps`; gives its exit code.
int report_taps(const TapsRequest& request, const RuleSet& rules, FileOutput& output);

}  // namespace smtpscope
