#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "exporters/otlp/span.h"

namespace smtpscope {

/// What the environment says of a name; nothing if it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

/// Where spans are sent, and how. A value. Headers may hold secrets: they are never shown.
struct CollectorSettings {
  std::string url;    // "" for nowhere
  std::string shown;  // the same without a password
  bool json = false;  // else Protocol Buffers
  bool gzip = false;
  Duration timeout = std::chrono::seconds(10);  // of a request
  std::vector<std::pair<std::string, std::string>> headers;
  // Files in PEM, "" for none.
  std::string authorities;         // that sign the collector's certificate
  std::string client_certificate;  // to be shown to it
  std::string client_key;
};

/// `url`: "" for nowhere; "env" for where the environment says; else a collector, to whose URL
/// "/v1/traces" is added unless it ends with it. All the rest is said by the environment, as
/// opentelemetry.io/docs/specs/otel/protocol/exporter has it.
Result<CollectorSettings> read_collector_settings(const std::string& url,
                                                  const EnvironmentLookup& environment);

/// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
Result<SpanResource> read_span_resource(const EnvironmentLookup& environment);

}  // namespace smtpscope
