#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "exporters/exporter.h"
#include "timeline/filter/session_filter.h"

namespace CLI {
class App;
}

namespace smtpscope {

/// The format that --brief stands for.
inline constexpr std::string_view kBriefFormat = "brief";

/// How the user wants timelines written: the options that several subcommands share.
struct Rendering {
  std::string format = std::string(all_exporters().front().name);
  std::string colour = "auto";
  std::optional<std::size_t> width;
  bool verbose = false;
  bool full = false;  // every session whole, however many there are at once
  std::string time = "relative";
  std::string filter_text;                      // --filter; "": all sessions
  std::shared_ptr<const SessionFilter> filter;  // what read_filter() made of it
};

/// Which formats a subcommand can write.
enum class Formats : std::uint8_t {
  kLive,  // those for a timeline that is being made
  kAll,   // and those that take a capture
};

/// Adds -f, --color, --width and -v to `app`. `more_formats`: what -f knows besides the exporters,
/// such as "none".
void add_rendering_options(CLI::App& app, Rendering& rendering, Formats which,
                           std::span<const std::string_view> more_formats = {});

/// The same without -f. `verbose`: what -v does.
void add_look_options(CLI::App& app, Rendering& rendering, const std::string& verbose);

/// Adds --filter to `app`.
void add_filter_option(CLI::App& app, std::string& filter);
/// Makes Rendering::filter. The Error draws what is wrong with it.
Result<Done> read_filter(Rendering& rendering);

/// The options for an exporter whose text goes to `descriptor`: colour and width are those of its
/// terminal unless the user said otherwise, the signs those that the locale can show. `rules` must
/// outlive the exporter.
ExporterOptions exporter_options(const Rendering& rendering, const RuleSet& rules, int descriptor);

}  // namespace smtpscope
