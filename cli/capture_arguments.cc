#include "cli/capture_arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "cli/option_values.h"

namespace smtpscope {
namespace {

/// Smaller files would be made faster than anybody could use them.
constexpr std::uint64_t kLeastRotation = std::uint64_t{4} * 1024;

}  // namespace

void add_capture_options(CLI::App& app, CaptureArguments& arguments) {
  app.add_option("-w,--write", arguments.path,
                 "Capture file to write, mode 0600; %Y %m %d %j %H %M %S in its name stand for the "
                 "time in UTC, as in run-%Y%m%dT%H%M%S.smtpcap. SIGHUP begins a new file")
      ->default_str("none")
      ->type_name("FILE.smtpcap");
  app.add_flag("--force", arguments.force,
               "Overwrite the capture file and the key log if they exist");
  app.add_flag("--append", arguments.append,
               "Go on with the capture file and the key log if they exist");
  app.add_option(
         "--rotate", arguments.rotate,
         "Begin a new capture file when one is that large (100M), or so often (15m, 1h, 1d, "
         "counted from midnight UTC). Needs a name with the time in it")
      ->default_str("never")
      ->type_name("SIZE|TIME");
  app.add_option(
         "--keep", arguments.keep,
         "Besides the capture that is written keep so many files (14), so many octets (10G) "
         "or files no older than that (30d); the oldest are removed")
      ->default_str("all")
      ->type_name("N|SIZE|AGE");
  app.add_option(
         "--compress", arguments.compress,
         "Compress capture files when they are full: zstd or gzip. They are read as they are")
      ->default_str("none")
      ->type_name("zstd|gzip");
}

Result<CaptureSeriesOptions> read_capture_arguments(const CaptureArguments& arguments) {
  CaptureSeriesOptions options;
  options.path = arguments.path;
  options.force = arguments.force;
  options.append = arguments.append;
  if (arguments.path.empty()) {
    for (const auto& [given, name] : {std::pair{!arguments.rotate.empty(), "--rotate"},
                                      {!arguments.keep.empty(), "--keep"},
                                      {!arguments.compress.empty(), "--compress"},
                                      {arguments.append, "--append"}}) {
      if (given) return Error{fmt::format("{} is about the capture: name it with --write", name)};
    }
    return options;
  }
  if (arguments.append && arguments.force) {
    return Error{"--append goes on with the capture, --force replaces it: give only one of them"};
  }
  if (!arguments.rotate.empty()) {
    options.rotate_every = parse_age(arguments.rotate);
    if (!options.rotate_every) options.rotate_octets = parse_message_size(arguments.rotate);
    if (!options.rotate_every &&
        (!options.rotate_octets || *options.rotate_octets < kLeastRotation ||
         arguments.rotate == "full")) {
      return Error{
          fmt::format("--rotate: '{}' is neither a size from 4K on, such as 100M, nor a time such "
                      "as 15m, 1h or 1d",
                      arguments.rotate)};
    }
  }
  if (!arguments.keep.empty()) {
    CaptureKeeping& keeping = options.keeping;
    const bool is_number = std::ranges::all_of(arguments.keep, is_digit);
    keeping.oldest = parse_age(arguments.keep);
    if (!keeping.oldest && arguments.keep != "full" && arguments.keep != "none") {
      (is_number ? keeping.most_files : keeping.most_octets) = parse_message_size(arguments.keep);
    }
    if (!keeping.oldest && !keeping.most_files && !keeping.most_octets) {
      return Error{
          fmt::format("--keep: '{}' is no number of files (14), no size (10G) and no age (30d)",
                      arguments.keep)};
    }
  }
  if (arguments.compress == "gzip") {
    options.keeping.compress = CaptureKeeping::Compression::kGzip;
  } else if (arguments.compress == "zstd") {
    options.keeping.compress = CaptureKeeping::Compression::kZstd;
  } else if (!arguments.compress.empty()) {
    return Error{fmt::format("--compress: '{}' is neither zstd nor gzip", arguments.compress)};
  }
  if (!arguments.compress.empty() && arguments.path.find('%') == std::string::npos) {
    return Error{
        "--compress is for files that are closed while the run goes on: give --write a name with "
        "the "
        "time in it, such as run-%Y%m%dT%H%M%S.smtpcap"};
  }
  return options;
}

}  // namespace smtpscope
