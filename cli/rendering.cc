#include "cli/rendering.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "cli/terminal.h"

namespace smtpscope {
namespace {

bool wants_colour(const std::string& when, int descriptor) {
  if (when == "always") return true;
  if (when == "never") return false;
  return is_terminal(descriptor) && !environment_refuses_colour();
}

}  // namespace

void add_rendering_options(CLI::App& app, Rendering& rendering, Formats which,
                           std::span<const std::string_view> more_formats) {
  std::vector<std::string> formats;
  for (const ExporterKind& kind : all_exporters()) {
    if (which == Formats::kAll || !kind.octets) formats.emplace_back(kind.name);
  }
  for (const std::string_view format : more_formats) formats.emplace_back(format);
  app.add_option("-f,--format", rendering.format, "How to write timelines")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  add_look_options(app, rendering,
                   "Every line of a reply, read boundaries, and folded annotations");
}

void add_look_options(CLI::App& app, Rendering& rendering, const std::string& verbose) {
  app.add_option("--color", rendering.colour,
                 "Colours; auto: on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  app.add_option("--width", rendering.width,
                 "Columns of a line, at least 40; 0: lines are not cut. Default: the terminal's")
      ->check(CLI::Range(0, 100'000))
      ->type_name("COLUMNS");
  app.add_flag("-v,--verbose", rendering.verbose, verbose);
}

ExporterOptions exporter_options(const Rendering& rendering, const RuleSet& rules, int descriptor) {
  ExporterOptions options;
  options.rules = &rules;
  options.width = rendering.width.value_or(terminal_width(descriptor));
  options.unicode = locale_is_utf8();
  options.colour = wants_colour(rendering.colour, descriptor);
  options.verbose = rendering.verbose;
  return options;
}

}  // namespace smtpscope
