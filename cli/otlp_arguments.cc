#include "cli/otlp_arguments.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <optional>

namespace smtpscope {
namespace {

std::optional<std::string> of_environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

void add_otlp_option(CLI::App& app, std::string& url) {
  app.add_option(
         "--otlp", url,
         "Send spans to this OpenTelemetry collector, such as http://localhost:4318; env: to "
         "the one that OTEL_EXPORTER_OTLP_ENDPOINT names (docs/otlp.md)")
      ->default_str("none")
      ->type_name("URL");
}

Result<CollectorSettings> read_otlp_arguments(const std::string& url) {
  return read_collector_settings(url, of_environment);
}

Result<SpanResource> read_otlp_resource() { return read_span_resource(of_environment); }

}  // namespace smtpscope
