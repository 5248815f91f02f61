#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "proxy/proxy.h"

namespace smtpscope {

/// What the command line says about a proxy that many clients share, as text.
struct ServiceArguments {
  std::size_t most_sessions = 0;
  std::size_t most_sessions_per_client = 0;
  std::string transparent;
  bool spoof_client = false;
};

void add_limit_options(CLI::App& app, ServiceArguments& arguments);
void add_transparent_options(CLI::App& app, ServiceArguments& arguments);

/// `has_upstream`: --upstream was given. The Error names the option.
Result<Done> read_service_arguments(const ServiceArguments& arguments, bool has_upstream,
                                    ProxyOptions& options);

/// What the host lacks for what the options ask for, a sentence with commands each.
std::vector<std::string> missing_surroundings(const ProxyOptions& options);

}  // namespace smtpscope
