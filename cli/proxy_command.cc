#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/counted.h"
#include "cli/capture_arguments.h"
#include "cli/configuration.h"
#include "cli/file_output.h"
#include "cli/live_run.h"
#include "cli/option_values.h"
#include "cli/otlp_arguments.h"
#include "cli/proxy_plan.h"
#include "cli/record_arguments.h"
#include "cli/replay_arguments.h"
#include "cli/route_arguments.h"
#include "cli/rule_options.h"
#include "cli/scenario_arguments.h"
#include "cli/service_manager.h"
#include "cli/subcommand.h"
#include "proxy/routes.h"

namespace smtpscope {
namespace {

/// What the command line says, as text; read in run().
struct ProxyArguments {
  std::string configuration;
  bool check = false;
  RouteArguments route;  // where the configuration has none
  CaptureArguments capture;
  // Enough for the header and text of nearly every mail written by hand; what makes a message
  // larger is attachments, whose octets tell nothing that the facts kept of them do not. And it
  // bounds what a busy relay writes: a capture grows with the number of messages, not their size.
  std::string message = "64K";
  bool keep_credentials = false;
  std::string tap;
  std::string grace = "5s";
  std::vector<std::string> tell_silence = {"5s", "30s", "60s"};
  std::string records;
  std::string otlp;
  RecordArguments record_arguments;
  Rendering rendering;
  RuleOptions rules;
  WebArguments web;
};

/// How often it is asked at most who is silent.
constexpr Duration kFastestTick = std::chrono::milliseconds(20);

/// The sections [route NAME] of a configuration, in their order.
using RouteSections = std::vector<std::unique_ptr<RouteSection>>;

/// What is the process's own, into `options`, which has the routes.
Result<Done> read(const ProxyArguments& arguments, const RouteSections& routes,
                  LiveRunOptions& options) {
  const auto grace = parse_duration(arguments.grace);
  if (!grace) return not_a_time("--grace", arguments.grace);
  for (ProxyOptions& route : options.routes) {
    route.grace = *grace;
    route.tls.force = arguments.capture.force;
    route.tls.append = arguments.capture.append;
  }
  // For whoever watches: nobody reads along what is written as records, or not at all.
  if (arguments.rendering.format == all_exporters().front().name) {
    for (const std::string& text : arguments.tell_silence) {
      const auto step = parse_duration(text);
      if (!step) return not_a_time("--tell-silence", text);
      if (*step > Duration::zero()) options.alarm.push_back(*step);
    }
    std::ranges::sort(options.alarm);
    if (!options.alarm.empty()) {
      options.tick = std::clamp(options.alarm.front() / 4, kFastestTick, options.tick);
    }
  }
  const auto message = parse_message_size(arguments.message);
  if (!message) {
    return Error{fmt::format("--message: '{}' is no size; give full, none or a size such as 64K",
                             arguments.message)};
  }
  options.policy.message_octets = *message;
  options.policy.keep_credentials = arguments.keep_credentials;
  auto capture = read_capture_arguments(arguments.capture);
  if (!capture) return capture.error();
  options.capture = std::move(capture.value());
  options.records = arguments.records;
  auto collector = read_otlp_arguments(arguments.otlp);
  if (!collector) return collector.error();
  options.collector = std::move(collector.value());
  options.tap = arguments.tap;
  options.rendering = arguments.rendering;
  options.web = arguments.web;
  if (const auto read = read_filter(options.rendering); !read) return read.error();
  const std::string joined = joined_filter(arguments.rendering.filter_text, routes);
  if (joined != arguments.rendering.filter_text) {
    auto filter = SessionFilter::parse(joined);
    if (!filter) return filter.error();
    options.rendering.filter = std::make_shared<const SessionFilter>(std::move(filter.value()));
  }
  auto rules = make_rules(arguments.rules);
  if (!rules) return rules.error();
  options.rules = std::move(rules.value());
  return Done{};
}

/// The scenario of a route, if it has one: nullptr if not.
Result<std::shared_ptr<ScenarioRun>> read_scenario(const RouteArguments& arguments,
                                                   ProxyOptions& route) {
  if (arguments.scenario.empty()) return std::shared_ptr<ScenarioRun>();
  auto program = read_scenario_arguments(arguments.scenario);
  if (!program) return program.error();
  if (route.tls.mode == TlsMode::kStrip) {
    return Error{"--tls strip does not go with a scenario; say --what-if 'hide STARTTLS'"};
  }
  const std::vector<LabLine>& lines = program.value().lines;
  const bool fails_tls = std::any_of(lines.begin(), lines.end(), [](const LabLine& line) {
    return line.action == LabAction::kFailHandshake;
  });
  if (fails_tls && route.tls.mode == TlsMode::kIntercept) {
    return Error{"'TLS: fail handshake' needs TLS that is passed through: leave --tls away"};
  }
  return play_scenario(std::move(program.value()), route);
}

/// What the laboratory does in a route.
struct RouteLab {
  std::string prefix;                     // of what is told of it: the route's name, if it has one
  std::string recording;                  // that its server plays; "" if it plays none
  std::shared_ptr<ScenarioRun> scenario;  // nullptr if it has none
  std::shared_ptr<ReplayPlan> replay;     // nullptr if it is another server

  /// Once the run has begun.
  void begin(LiveRun& live) const {
    if (scenario) {
      for (const std::string& warning : scenario->program().warnings()) live.tell(prefix + warning);
    }
    if (!replay) return;
    replay->tell = [&live, named = prefix](const std::string& what) { live.tell(named + what); };
  }

  /// Tells what was of no use, when the run is over.
  void tell_unused(LiveRun& live) const {
    if (scenario) {
      for (const std::string& unused : scenario->unused()) {
        live.tell(prefix + "the scenario's line was of no use: " + unused);
      }
    }
    if (!replay || replay->last_goes_on || replay->begun >= replay->dialogues.size()) return;
    live.tell(fmt::format("{}{} of the recording were not asked for", prefix,
                          counted(replay->dialogues.size() - replay->begun, "session")));
  }

  /// A client departed from what the server plays.
  bool departed() const { return replay && replay->deviations > 0; }
};

/// A run of `proxy` while its options are read.
class ProxyReading {
 public:
  ProxyReading(const ProxyArguments& arguments, CLI::App& app) : arguments_(arguments), app_(app) {}

  /// Reads all; the Error has each fault on a line of its own, with its place.
  Result<Done> read_all() {
    if (auto done = read_configuration(); !done) return done;
    auto inherited = take_inherited_listeners();
    if (!inherited) return inherited.error();
    if (sections_.empty()) {
      const auto placed = [this](const Error& error) { return in_process(error); };
      if (auto done = add_route(arguments_.route, std::move(inherited.value()), placed); !done) {
        return done;
      }
    } else {
      if (auto done = read_sections(std::move(inherited.value())); !done) return done;
    }
    if (auto done = smtpscope::read(arguments_, sections_, options_); !done) {
      return in_process(done.error());
    }
    return Done{};
  }

  /// Says what would be done, and does none of it.
  int check() {
    const auto refuse = [](const Error& error) { return fail(error.message); };
    if (auto done = LiveRun::check(options_); !done) return refuse(in_process(done.error()));
    std::vector<std::string> clients;
    for (std::size_t i = 0; i < options_.routes.size(); ++i) {
      auto done = Routes::check(options_.routes, i);
      if (done) done = Proxy::check(options_.routes[i]);
      if (!done) {
        return refuse(sections_.empty() ? in_process(done.error())
                                        : sections_[i]->placed(done.error()));
      }
      clients.push_back(
          clients_in_words(sections_.empty() ? arguments_.route : sections_[i]->arguments()));
    }
    std::vector<std::string> filters(options_.routes.size());
    for (std::size_t i = 0; i < sections_.size(); ++i) filters[i] = sections_[i]->filter();
    return print(plan_text(options_, clients, filters));
  }

  LiveRunOptions& options() { return options_; }
  /// By route.
  const std::vector<RouteLab>& labs() const { return labs_; }

 private:
  Error in_process(const Error& error) const {
    return configuration_ ? configuration_->main().each_placed(error) : error;
  }

  Result<Done> read_configuration() {
    if (arguments_.configuration.empty()) return Done{};
    auto file = Configuration::read(arguments_.configuration);
    if (!file) return file.error();
    configuration_ = std::move(file.value());
    for (ConfigurationSection& section : configuration_->routes()) {
      sections_.push_back(std::make_unique<RouteSection>(section));
    }
    if (sections_.empty()) return configuration_->main().apply(app_);
    const auto is_of_routes = [this](std::string_view name) {
      return sections_.front()->has(name) && name != "filter" && name != "only";
    };
    for (const CLI::Option* option : app_.get_options(std::function<bool(CLI::Option*)>())) {
      for (const std::string& name : option->get_lnames()) {
        if (option->count() == 0 || !is_of_routes(name)) continue;
        return Error{
            fmt::format("--{} is of one route, and {} has sections: put it there, below "
                        "[route NAME]",
                        name, configuration_->path())};
      }
    }
    return configuration_->main().apply(app_, [&](std::string_view name) {
      if (!is_of_routes(name)) return std::string();
      return fmt::format("'{}' is of one route: put it below a [route NAME]", name);
    });
  }

  Result<Done> read_sections(std::vector<InheritedListener> inherited) {
    std::vector<std::string> names;
    for (const auto& section : sections_) names.push_back(section->name());
    auto sockets = share_out(std::move(inherited), names);
    if (!sockets) return sockets.error();
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      RouteSection& section = *sections_[i];
      if (auto done = section.apply(app_); !done) return done;
      const auto placed = [&](const Error& error) { return section.each_placed(error); };
      if (auto filter = SessionFilter::parse(section.filter()); !filter) {
        return section.placed(filter.error());
      }
      if (auto done = add_route(section.arguments(), std::move(sockets.value()[i]), placed);
          !done) {
        return done;
      }
      options_.routes.back().name = section.name();
      labs_.back().prefix = fmt::format("route {}: ", section.name());
    }
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      if (auto done = Routes::check(options_.routes, i); !done) {
        return sections_[i]->placed(done.error());
      }
    }
    return Done{};
  }

  template <typename Placed>
  Result<Done> add_route(const RouteArguments& arguments, std::vector<InheritedListener> inherited,
                         const Placed& placed) {
    auto route = read_route_arguments(arguments, std::move(inherited));
    if (!route) return placed(route.error());
    auto scenario = read_scenario(arguments, route.value());
    if (!scenario) return placed(scenario.error());
    auto replay = play_upstream(arguments.replay, route.value());
    if (!replay) return placed(replay.error());
    RouteLab lab;
    if (route.value().upstream.kind == Endpoint::Kind::kReplay) {
      lab.recording = route.value().upstream.path;
    }
    lab.scenario = std::move(scenario.value());
    lab.replay = std::move(replay.value());
    labs_.push_back(std::move(lab));
    options_.routes.push_back(std::move(route.value()));
    return Done{};
  }

  const ProxyArguments& arguments_;
  CLI::App& app_;
  std::optional<Configuration> configuration_;
  RouteSections sections_;
  LiveRunOptions options_;
  std::vector<RouteLab> labs_;
};

/// Whether the clients of a played server did what those of the recording had done.
int compare_with_recording(const ProxyArguments& arguments, const RouteLab& lab, LiveRun& live) {
  // Behind records that are somebody's input there is no room for it.
  const std::string& format = arguments.rendering.format;
  const bool for_people =
      format == all_exporters().front().name || format == kBriefFormat || format == kNoFormat;
  const bool one_file = arguments.capture.path.find('%') == std::string::npos;
  if (live.capture_path().empty() || !for_people || !one_file) return kExitFine;
  ReplayComparison comparison;
  comparison.recording = lab.recording;
  comparison.replayed = live.capture_path();
  comparison.timing = lab.replay->pace.factor == 1;
  comparison.rendering = arguments.rendering;
  return compare_replay(comparison);
}

int run(const ProxyArguments& arguments, CLI::App& app) {
  ProxyReading reading(arguments, app);
  if (auto done = reading.read_all(); !done) return fail_for(done.error());
  LiveRunOptions& options = reading.options();
  if (arguments.check) return reading.check();
  const bool tells_rows =
      !arguments.records.empty() || !arguments.otlp.empty() || arguments.rendering.format == "otlp";
  if (tells_rows) {  // behind the check: it may make a key
    auto settings = read_record_arguments(arguments.record_arguments);
    if (!settings) return fail(settings.error().message);
    options.record_settings = std::move(settings.value());
  }
  auto started = LiveRun::start(std::move(options));
  if (!started) return fail(started.error().message);
  LiveRun& live = *started.value();
  const std::vector<RouteLab>& labs = reading.labs();
  for (const RouteLab& lab : labs) lab.begin(live);
  int code = live.serve();
  for (const RouteLab& lab : labs) lab.tell_unused(live);
  live.print_totals();
  for (const RouteLab& lab : labs) {
    if (lab.departed()) code = std::max<int>(code, kExitFound);
  }
  // The capture of several routes is of other sessions, too.
  if (labs.size() > 1 || labs.front().recording.empty()) return code;
  return std::max(code, compare_with_recording(arguments, labs.front(), live));
}

std::function<int()> declare_proxy(CLI::App& app) {
  auto arguments = std::make_shared<ProxyArguments>();
  add_route_options(app, arguments->route);
  app.option_defaults()->group("Listening");
  app.add_option(
         "--grace", arguments->grace,
         "How long to wait for open sessions after SIGINT or SIGTERM; a second signal ends them")
      ->type_name("TIME")
      ->capture_default_str();
  app.option_defaults()->group("Capture");
  add_capture_options(app, arguments->capture);
  app.add_option("--message", arguments->message,
                 "How much of each message to keep: full, none or a size (64K, 1M). "
                 "Facts about the rest are always kept")
      ->type_name("SIZE")
      ->capture_default_str();
  app.add_flag("--keep-credentials", arguments->keep_credentials,
               "Do NOT mask logins: anyone who reads the capture can log in with them. Without "
               "it they are masked as far as they can be recognised (docs/redaction.md)");
  app.add_option("--tap", arguments->tap, "Name of this vantage point, kept in the capture")
      ->default_str("none")
      ->type_name("NAME");
  add_record_options(app, arguments->record_arguments);
  app.add_option("--records", arguments->records,
                 "Write rows for a database there, files by table and hour (docs/records.md)")
      ->default_str("none")
      ->type_name("FOLDER");
  add_otlp_option(app, arguments->otlp);
  static constexpr std::string_view kMore[] = {kNoFormat};
  add_rendering_options(app, arguments->rendering, Formats::kLive, kMore);
  app.add_flag("--full", arguments->rendering.full,
               "On a terminal: the whole timeline of every session. Without it sessions that begin "
               "while more than five are open get one line each, as with --brief")
      ->excludes("--brief");
  add_filter_option(app, arguments->rendering.filter_text);
  app.add_option("--tell-silence", arguments->tell_silence,
                 "With the text timeline: tell of a silence while it lasts, at these lengths; 0 "
                 "for never")
      ->type_name("TIME,...")
      ->delimiter(',')
      ->capture_default_str();
  app.option_defaults()->group("Page");
  add_web_address_option(app, arguments->web);
  add_web_options(app, arguments->web);
  add_rule_options(app, arguments->rules);
  app.option_defaults()->group("Configuration");
  app.add_option("--config", arguments->configuration,
                 "File with any of these options, one on a line: listen = 2525; for several routes "
                 "with a section for each. What the command line says counts more")
      ->type_name("FILE")
      ->default_str("none");
  app.add_flag("--check", arguments->check,
               "Say what would be done, or what is wrong and where, and end. Whether the server "
               "can be reached is not tried");
  return [arguments, program = &app] { return run(*arguments, *program); };
}

}  // namespace

const Subcommand kProxyCommand = {
    .name = "proxy",
    .description = "Relay between clients and a mail server, and trace the dialogue",
    .examples =
        "  smtpscope proxy --listen 2525 --upstream mx.example:25 -w today.smtpcap\n"
        "  smtpscope proxy --config /etc/smtpscope/mx.conf --check\n"
        "  smtpscope proxy --listen 2525 --upstream sink\n"
        "  smtpscope proxy --listen 0.0.0.0:25 --allow 192.0.2.0/24 --upstream 127.0.0.1:10025\n"
        "  smtpscope proxy --listen 2525 --upstream mx.example:25 --tls intercept -w "
        "today.smtpcap\n"
        "  smtpscope proxy --listen 2525 --upstream mx.example:25 --tap mx1 --records "
        "/var/spool/smtpscope\n"
        "  smtpscope proxy --listen 2525 --upstream mx.example:25 --otlp http://localhost:4318\n"
        "  smtpscope proxy --listen 2525 --upstream mx.example:25 --what-if 'hide PIPELINING'\n"
        "  smtpscope proxy --listen 2525 --upstream replay:yesterday.smtpcap -w today.smtpcap\n"
        "  smtpscope proxy --listen-tls 4650 --upstream mx.example:465 --tls intercept\n"
        "  smtpscope proxy --listen 2424 --upstream unix:/run/dovecot/lmtp --message none -w "
        "l.smtpcap\n",
    .declare = declare_proxy,
    .exit_status =
        "0 stopped, and all is in the record; 1 a client departed from what --upstream replay: or "
        "script: has; 2 wrong usage, it could not start, or the record has holes.",
};

}  // namespace smtpscope
