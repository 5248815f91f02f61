#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "proxy/proxy.h"

namespace smtpscope {

/// What the command line says of who the server is told the client is, and who tells smtpscope.
struct IdentityArguments {
  std::string send_proxy;
  bool xclient = false;
  bool accept_proxy = false;
  std::vector<std::string> proxy_from;
};

void add_identity_options(CLI::App& app, IdentityArguments& arguments);

/// Into `options`, whose upstream is known. The Error says what does not go together.
Result<Done> read_identity_arguments(const IdentityArguments& arguments, ProxyOptions& options);

}  // namespace smtpscope
