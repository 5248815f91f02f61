#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "capture/capture_series.h"

namespace smtpscope {

/// What the command line says about the capture's files, as text.
struct CaptureArguments {
  std::string path;
  bool force = false;
  bool append = false;
  std::string rotate;
  std::string keep;
  std::string compress;
};

/// Adds --write and what belongs to it to `app`.
void add_capture_options(CLI::App& app, CaptureArguments& arguments);

/// The Error names the option.
Result<CaptureSeriesOptions> read_capture_arguments(const CaptureArguments& arguments);

}  // namespace smtpscope
