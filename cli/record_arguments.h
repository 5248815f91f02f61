#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "exporters/exporter.h"
#include "exporters/otlp/span.h"
#include "exporters/records/record_pseudonyms.h"

namespace smtpscope {

/// What the command line says of records and spans, wherever they are written.
struct RecordArguments {
  std::string host;    // "": this machine
  std::string redact;  // file of the key; "": names stay
};

/// What records and spans need besides where they go.
struct RecordSettings {
  std::string host;
  std::shared_ptr<RecordPseudonyms> pseudonyms;  // nullptr: names stay
  SpanResource resource;                         // for spans only

  /// Into `options`, which must not outlive this.
  void apply(ExporterOptions& options) const {
    options.host = host;
    options.pseudonyms = pseudonyms.get();
    options.resource = &resource;
  }
};

void add_record_options(CLI::App& app, RecordArguments& arguments);

/// Reads the key, or makes it and says so on stderr; and what the environment says of spans.
Result<RecordSettings> read_record_arguments(const RecordArguments& arguments);

}  // namespace smtpscope
