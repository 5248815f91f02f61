#include "cli/route_arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "cli/option_values.h"
#include "cli/rendering.h"

namespace smtpscope {

void add_route_options(CLI::App& app, RouteArguments& arguments) {
  app.option_defaults()->group("Listening");
  app.add_option("--listen", arguments.listen,
                 "Where clients connect; a port alone means loopback. May be repeated")
      ->default_str("nowhere")
      ->type_name("[HOST:]PORT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--allow", arguments.allow,
                 "Network whose clients may connect, besides loopback. Required to listen on other "
                 "addresses, because the server sees all clients as this host. May be repeated")
      ->default_str("loopback only")
      ->type_name("CIDR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag(
      "--allow-everyone", arguments.allow_everyone,
      "Let anybody connect. If the server trusts this host's address, it then trusts all of them");
  add_limit_options(app, arguments.service);
  app.option_defaults()->group("Mail server");
  app.add_option(
         "--upstream", arguments.upstream,
         "The mail server; 'sink' is a built-in one that accepts and discards mail, replay: "
         "answers as the server of a recording did, script: as a file says (docs/replay.md)")
      ->default_str("none")
      ->type_name("HOST:PORT|unix:PATH|sink|replay:FILE|script:FILE");
  add_transparent_options(app, arguments.service);
  app.add_option("--connect-timeout", arguments.connect_timeout,
                 "How long to try each address of the server")
      ->type_name("TIME")
      ->capture_default_str();
  add_identity_options(app, arguments.identity);
  add_tls_options(app, arguments.tls);
  app.option_defaults()->group("Laboratory");
  add_scenario_options(app, arguments.scenario);
  add_pace_option(app, arguments.replay);
  add_extra_option(app, arguments.replay);
}

Result<ProxyOptions> read_route_arguments(const RouteArguments& arguments,
                                          std::vector<InheritedListener> inherited) {
  ProxyOptions options;
  for (const std::string& text : arguments.listen) {
    auto endpoint = parse_listen(text);
    if (!endpoint) return endpoint.error();
    options.listen.push_back(endpoint.value());
  }
  if (auto done = read_service_arguments(arguments.service, !arguments.upstream.empty(), options);
      !done) {
    return done.error();
  }
  if (!arguments.upstream.empty()) {
    auto upstream = parse_upstream(arguments.upstream);
    if (!upstream) return upstream.error();
    options.upstream = upstream.value();
  }
  options.inherited = std::move(inherited);
  auto tls = read_tls_arguments(arguments.tls);
  if (!tls) return tls.error();
  options.tls = std::move(tls.value());
  for (const std::string& text : arguments.tls.listen) {
    auto endpoint = parse_listen(text);
    if (!endpoint) return endpoint.error();
    options.listen_tls.push_back(endpoint.value());
  }
  if (options.listen.empty() && options.listen_tls.empty() && options.inherited.empty()) {
    return Error{
        "nowhere to listen: give --listen PORT, or --listen-tls PORT for clients that "
        "speak TLS from the first octet"};
  }
  if (arguments.allow_everyone) options.allow.add_everyone();
  for (const std::string& cidr : arguments.allow) {
    if (auto added = options.allow.add(cidr); !added) return added.error();
  }
  if (auto done = read_identity_arguments(arguments.identity, options); !done) return done.error();
  const auto connect_timeout = parse_duration(arguments.connect_timeout);
  if (!connect_timeout || *connect_timeout == Duration::zero()) {
    return not_a_time("--connect-timeout", arguments.connect_timeout);
  }
  options.connect_timeout = *connect_timeout;
  return options;
}

std::string clients_in_words(const RouteArguments& arguments) {
  if (arguments.allow_everyone) return "everybody";
  std::vector<std::string> all = arguments.allow;
  all.insert(all.begin(), "loopback");
  return fmt::format("{}", fmt::join(all, ", "));
}

bool has_option(const CLI::App& app, std::string_view name) {
  const auto options = app.get_options(std::function<bool(const CLI::Option*)>());
  return std::any_of(options.begin(), options.end(), [name](const CLI::Option* option) {
    const std::vector<std::string>& names = option->get_lnames();
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

RouteSection::RouteSection(ConfigurationSection& section) : section_(section), app_("", "proxy") {
  app_.set_help_flag();
  add_route_options(app_, arguments_);
  add_filter_option(app_, filter_);
}

bool RouteSection::has(std::string_view name) const { return has_option(app_, name); }

Result<Done> RouteSection::apply(const CLI::App& process) {
  return section_.apply(app_, [&](std::string_view name) {
    if (has(name) || !has_option(process, name)) return std::string();
    return fmt::format("'{}' is of the whole process: put it above the first [route NAME]", name);
  });
}

std::string joined_filter(const std::string& whole,
                          const std::vector<std::unique_ptr<RouteSection>>& routes) {
  std::string all = whole.empty() ? "" : fmt::format("({})", whole);
  for (const auto& route : routes) {
    if (route->filter().empty()) continue;
    all += fmt::format("{}(not route:{} or ({}))", all.empty() ? "" : " ", route->name(),
                       route->filter());
  }
  return all;
}

}  // namespace smtpscope
