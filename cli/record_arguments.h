#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "exporters/exporter.h"
#include "exporters/records/record_pseudonyms.h"

namespace smtpscope {

/// What the command line says of records, wherever they are written.
struct RecordArguments {
  std::string host;    // "": this machine
  std::string redact;  // file of the key; "": names stay
};

/// What records need besides their folder.
struct RecordSettings {
  std::string host;
  std::shared_ptr<RecordPseudonyms> pseudonyms;  // nullptr: names stay

  /// Into `options`, which must not outlive this.
  void apply(ExporterOptions& options) const {
    options.host = host;
    options.pseudonyms = pseudonyms.get();
  }
};

void add_record_options(CLI::App& app, RecordArguments& arguments);

/// Reads the key, or makes it and says so on stderr.
Result<RecordSettings> read_record_arguments(const RecordArguments& arguments);

}  // namespace smtpscope
