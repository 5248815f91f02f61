#pragma once

#include <string>

#include "base/result.h"
#include "exporters/otlp/collector_settings.h"

namespace CLI {
class App;
}

namespace smtpscope {

/// Adds --otlp to `app`.
void add_otlp_option(CLI::App& app, std::string& url);

/// What --otlp and the environment say. `url`: "" for nowhere.
Result<CollectorSettings> read_otlp_arguments(const std::string& url);
/// What the environment says of where all spans come from.
Result<SpanResource> read_otlp_resource();

}  // namespace smtpscope
