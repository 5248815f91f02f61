#include "cli/rendering.h"

#include <CLI/CLI.hpp>
#include <utility>
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
  app.option_defaults()->group("Output");
  std::vector<std::string> formats;
  for (const ExporterKind& kind : all_exporters()) {
    if (which == Formats::kAll || !kind.octets) formats.emplace_back(kind.name);
  }
  for (const std::string_view format : more_formats) formats.emplace_back(format);
  app.add_option("-f,--format", rendering.format, "Output format")
      ->type_name("FORMAT")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  app.add_flag_callback(
      "--brief", [&rendering] { rendering.format = kBriefFormat; },
      "One line per session, when it has ended; the same as -f brief");
  app.add_option("--time", rendering.time,
                 "What lines of the text begin with: the time since the session began, the local "
                 "time of day, as in mail.log, or both")
      ->check(CLI::IsMember({"relative", "wall", "both"}))
      ->capture_default_str();
  add_look_options(app, rendering,
                   "Every line of a reply, read boundaries, and folded annotations");
}

void add_look_options(CLI::App& app, Rendering& rendering, const std::string& verbose) {
  app.option_defaults()->group("Output");
  app.add_option("--color", rendering.colour,
                 "Use colours; auto: on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  app.add_option("--width", rendering.width, "Width in columns, at least 40; 0: no limit")
      ->default_str("that of the terminal")
      ->check(CLI::Range(0, 100'000))
      ->type_name("COLUMNS");
  app.add_flag("-v,--verbose", rendering.verbose, verbose);
}

void add_filter_option(CLI::App& app, std::string& filter) {
  app.option_defaults()->group("Selection");
  app.add_option("--filter,--only", filter,
                 "Only sessions that this keeps: 'from:alice outcome:refused', 'not code:2', "
                 "'client:192.0.2.0/24 slower:2s' (docs/filter.md)")
      ->type_name("FILTER")
      ->default_str("all sessions");
}

Result<Done> read_filter(Rendering& rendering) {
  Result<SessionFilter> filter = SessionFilter::parse(rendering.filter_text);
  if (!filter) return filter.error();
  if (!rendering.filter_text.empty()) {
    rendering.filter = std::make_shared<const SessionFilter>(std::move(filter.value()));
  }
  return Done{};
}

ExporterOptions exporter_options(const Rendering& rendering, const RuleSet& rules, int descriptor) {
  ExporterOptions options;
  options.rules = &rules;
  options.width = rendering.width.value_or(terminal_width(descriptor));
  options.unicode = locale_is_utf8();
  options.colour = wants_colour(rendering.colour, descriptor);
  options.verbose = rendering.verbose;
  if (rendering.time == "wall") options.time = TimeShown::kWall;
  if (rendering.time == "both") options.time = TimeShown::kBoth;
  options.filter = rendering.filter.get();
  return options;
}

}  // namespace smtpscope
