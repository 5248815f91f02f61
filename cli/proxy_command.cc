#include <fmt/format.h>
#include <fmt/ranges.h>

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
#include "cli/identity_arguments.h"
#include "cli/live_run.h"
#include "cli/option_values.h"
#include "cli/otlp_arguments.h"
#include "cli/proxy_plan.h"
#include "cli/record_arguments.h"
#include "cli/replay_arguments.h"
#include "cli/rule_options.h"
#include "cli/scenario_arguments.h"
#include "cli/service_arguments.h"
#include "cli/service_manager.h"
#include "cli/subcommand.h"
#include "cli/tls_arguments.h"

namespace smtpscope {
namespace {

/// What the command line says, as text; read in run().
struct ProxyArguments {
  std::string configuration;
  bool check = false;
  std::vector<std::string> listen;
  std::string upstream;
  std::vector<std::string> allow;
  bool allow_everyone = false;
  IdentityArguments identity;
  ServiceArguments service;
  CaptureArguments capture;
  // Enough for the header and text of nearly every mail written by hand; what makes a message
  // larger is attachments, whose octets tell nothing that the facts kept of them do not. And it
  // bounds what a busy relay writes: a capture grows with the number of messages, not their size.
  std::string message = "64K";
  bool keep_credentials = false;
  std::string tap;
  std::string grace = "5s";
  std::string connect_timeout = "10s";
  std::vector<std::string> tell_silence = {"5s", "30s", "60s"};
  std::string records;
  std::string otlp;
  RecordArguments record_arguments;
  TlsArguments tls;
  ScenarioArguments scenario;
  ReplayArguments replay;
  Rendering rendering;
  RuleOptions rules;
  WebArguments web;
};

/// How often it is asked at most who is silent.
constexpr Duration kFastestTick = std::chrono::milliseconds(20);

Result<LiveRunOptions> read(const ProxyArguments& arguments) {
  LiveRunOptions options;
  for (const std::string& text : arguments.listen) {
    auto endpoint = parse_listen(text);
    if (!endpoint) return endpoint.error();
    options.proxy.listen.push_back(endpoint.value());
  }
  if (auto done =
          read_service_arguments(arguments.service, !arguments.upstream.empty(), options.proxy);
      !done) {
    return done.error();
  }
  if (!arguments.upstream.empty()) {
    auto upstream = parse_upstream(arguments.upstream);
    if (!upstream) return upstream.error();
    options.proxy.upstream = upstream.value();
  }
  auto inherited = take_inherited_listeners();
  if (!inherited) return inherited.error();
  options.proxy.inherited = std::move(inherited.value());
  auto tls = read_tls_arguments(arguments.tls);
  if (!tls) return tls.error();
  options.proxy.tls = std::move(tls.value());
  options.proxy.tls.force = arguments.capture.force;
  options.proxy.tls.append = arguments.capture.append;
  for (const std::string& text : arguments.tls.listen) {
    auto endpoint = parse_listen(text);
    if (!endpoint) return endpoint.error();
    options.proxy.listen_tls.push_back(endpoint.value());
  }
  if (arguments.listen.empty() && arguments.tls.listen.empty() && options.proxy.inherited.empty()) {
    return Error{
        "nowhere to listen: give --listen PORT, or --listen-tls PORT for clients that "
        "speak TLS from the first octet"};
  }
  if (arguments.allow_everyone) options.proxy.allow.add_everyone();
  for (const std::string& cidr : arguments.allow) {
    if (auto added = options.proxy.allow.add(cidr); !added) return added.error();
  }
  if (auto done = read_identity_arguments(arguments.identity, options.proxy); !done)
    return done.error();
  const auto grace = parse_duration(arguments.grace);
  const auto connect_timeout = parse_duration(arguments.connect_timeout);
  const auto no_time = [](std::string_view option, std::string_view value) {
    return Error{fmt::format("{}: '{}' is no time; give 5s, 500ms or 2m", option, value)};
  };
  if (!grace) return no_time("--grace", arguments.grace);
  if (!connect_timeout || *connect_timeout == Duration::zero()) {
    return no_time("--connect-timeout", arguments.connect_timeout);
  }
  options.proxy.grace = *grace;
  options.proxy.connect_timeout = *connect_timeout;
  // For whoever watches: nobody reads along what is written as records, or not at all.
  if (arguments.rendering.format == all_exporters().front().name) {
    for (const std::string& text : arguments.tell_silence) {
      const auto step = parse_duration(text);
      if (!step) return no_time("--tell-silence", text);
      if (*step > Duration::zero()) options.alarm.push_back(*step);
    }
    std::ranges::sort(options.alarm);
    if (!options.alarm.empty()) {
      options.proxy.tick = std::clamp(options.alarm.front() / 4, kFastestTick, options.proxy.tick);
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
  auto rules = make_rules(arguments.rules);
  if (!rules) return rules.error();
  options.rules = std::move(rules.value());
  return options;
}

std::string clients_in_words(const ProxyArguments& arguments) {
  if (arguments.allow_everyone) return "everybody";
  std::vector<std::string> all = arguments.allow;
  all.insert(all.begin(), "loopback");
  return fmt::format("{}", fmt::join(all, ", "));
}

/// Says what would be done, and does none of it.
int check(const ProxyArguments& arguments, const LiveRunOptions& options,
          const std::optional<Configuration>& configuration) {
  auto checked = LiveRun::check(options);
  if (checked) checked = Proxy::check(options.proxy);
  if (!checked) {
    return fail((configuration ? configuration->placed(checked.error()) : checked.error()).message);
  }
  return print(plan_text(options, clients_in_words(arguments)));
}

/// Whether the clients of a played server did what those of the recording had done.
int compare_with_recording(const ProxyArguments& arguments, const ReplayPlan& plan, LiveRun& live) {
  const Endpoint server = parse_upstream(arguments.upstream).value();
  const int code = plan.deviations > 0 ? kExitFound : kExitFine;
  if (server.kind != Endpoint::Kind::kReplay) return code;
  // Behind records that are somebody's input there is no room for it.
  const std::string& format = arguments.rendering.format;
  const bool for_people =
      format == all_exporters().front().name || format == kBriefFormat || format == kNoFormat;
  const bool one_file = arguments.capture.path.find('%') == std::string::npos;
  if (live.capture_path().empty() || !for_people || !one_file) return code;
  ReplayComparison comparison;
  comparison.recording = server.path;
  comparison.replayed = live.capture_path();
  comparison.timing = plan.pace.factor == 1;
  comparison.rendering = arguments.rendering;
  return std::max(code, compare_replay(comparison));
}

int run(const ProxyArguments& arguments, CLI::App& app) {
  std::optional<Configuration> configuration;
  if (!arguments.configuration.empty()) {
    auto file = Configuration::read(arguments.configuration);
    if (!file) return fail(file.error().message);
    configuration = std::move(file.value());
    if (auto applied = configuration->apply(app); !applied) return fail(applied.error().message);
  }
  auto options = read(arguments);
  if (!options) {
    return fail((configuration ? configuration->placed(options.error()) : options.error()).message);
  }
  std::shared_ptr<ScenarioRun> scenario;
  if (!arguments.scenario.empty()) {
    auto program = read_scenario_arguments(arguments.scenario);
    if (!program) return fail_for(program.error());
    if (options.value().proxy.tls.mode == TlsMode::kStrip) {
      return fail("--tls strip does not go with a scenario; say --what-if 'hide STARTTLS'");
    }
    const bool fails_tls = std::ranges::any_of(program.value().lines, [](const LabLine& line) {
      return line.action == LabAction::kFailHandshake;
    });
    if (fails_tls && options.value().proxy.tls.mode == TlsMode::kIntercept) {
      return fail("'TLS: fail handshake' needs TLS that is passed through: leave --tls away");
    }
    scenario = play_scenario(std::move(program.value()), options.value().proxy);
  }
  auto replay = play_upstream(arguments.replay, options.value().proxy);
  if (!replay) return fail(replay.error().message);
  if (arguments.check) return check(arguments, options.value(), configuration);
  const bool tells_rows =
      !arguments.records.empty() || !arguments.otlp.empty() || arguments.rendering.format == "otlp";
  if (tells_rows) {  // behind the check: it may make a key
    auto settings = read_record_arguments(arguments.record_arguments);
    if (!settings) return fail(settings.error().message);
    options.value().record_settings = std::move(settings.value());
  }
  auto live = LiveRun::start(std::move(options.value()));
  if (!live) return fail(live.error().message);
  if (scenario) {
    for (const std::string& warning : scenario->program().warnings()) live.value()->tell(warning);
  }
  if (replay.value()) {
    replay.value()->tell = [&live](const std::string& what) { live.value()->tell(what); };
  }
  const int code = live.value()->serve();
  if (scenario) {
    for (const std::string& unused : scenario->unused()) {
      live.value()->tell("the scenario's line was of no use: " + unused);
    }
  }
  if (replay.value() && !replay.value()->last_goes_on &&
      replay.value()->begun < replay.value()->dialogues.size()) {
    live.value()->tell(
        fmt::format("{} of the recording were not asked for",
                    counted(replay.value()->dialogues.size() - replay.value()->begun, "session")));
  }
  live.value()->print_totals();
  if (!replay.value()) return code;
  return std::max(code, compare_with_recording(arguments, *replay.value(), *live.value()));
}

std::function<int()> declare_proxy(CLI::App& app) {
  auto arguments = std::make_shared<ProxyArguments>();
  app.option_defaults()->group("Listening");
  app.add_option("--listen", arguments->listen,
                 "Where clients connect; a port alone means loopback. May be repeated")
      ->default_str("nowhere")
      ->type_name("[HOST:]PORT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--allow", arguments->allow,
                 "Network whose clients may connect, besides loopback. Required to listen on other "
                 "addresses, because the server sees all clients as this host. May be repeated")
      ->default_str("loopback only")
      ->type_name("CIDR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag(
      "--allow-everyone", arguments->allow_everyone,
      "Let anybody connect. If the server trusts this host's address, it then trusts all of them");
  app.add_option(
         "--grace", arguments->grace,
         "How long to wait for open sessions after SIGINT or SIGTERM; a second signal ends them")
      ->type_name("TIME")
      ->capture_default_str();
  add_limit_options(app, arguments->service);
  app.option_defaults()->group("Mail server");
  app.add_option(
         "--upstream", arguments->upstream,
         "The mail server; 'sink' is a built-in one that accepts and discards mail, replay: "
         "answers as the server of a recording did, script: as a file says (docs/replay.md)")
      ->default_str("none")
      ->type_name("HOST:PORT|unix:PATH|sink|replay:FILE|script:FILE");
  add_transparent_options(app, arguments->service);
  app.add_option("--connect-timeout", arguments->connect_timeout,
                 "How long to try each address of the server")
      ->type_name("TIME")
      ->capture_default_str();
  add_identity_options(app, arguments->identity);
  add_tls_options(app, arguments->tls);
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
  add_filter_option(app, arguments->rendering);
  app.add_option("--tell-silence", arguments->tell_silence,
                 "With the text timeline: tell of a silence while it lasts, at these lengths; 0 "
                 "for never")
      ->type_name("TIME,...")
      ->delimiter(',')
      ->capture_default_str();
  app.option_defaults()->group("Laboratory");
  add_scenario_options(app, arguments->scenario);
  add_pace_option(app, arguments->replay);
  add_extra_option(app, arguments->replay);
  app.option_defaults()->group("Page");
  add_web_address_option(app, arguments->web);
  add_web_options(app, arguments->web);
  add_rule_options(app, arguments->rules);
  app.option_defaults()->group("Configuration");
  app.add_option("--config", arguments->configuration,
                 "File with any of these options, one on a line: listen = 2525. What the command "
                 "line says counts more")
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
