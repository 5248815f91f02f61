#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "proxy/tls/tls_options.h"

namespace smtpscope {

/// What the command line says of TLS, as text.
struct TlsArguments {
  std::string mode = "pass";
  std::vector<std::string> listen;
  std::string upstream = "same";
  std::string ca_folder, certificate, key;
  std::string upstream_ca, upstream_certificate, upstream_key;
  bool insecure_upstream = false;
  std::string key_log;
};

void add_tls_options(CLI::App& app, TlsArguments& arguments);

/// The Error says which options do not go together.
Result<TlsOptions> read_tls_arguments(const TlsArguments& arguments);

}  // namespace smtpscope
