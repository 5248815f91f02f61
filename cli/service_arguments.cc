#include "cli/service_arguments.h"

#include <fmt/format.h>

#include "cli/transparent_setup.h"

namespace smtpscope {

void add_limit_options(CLI::App& app, ServiceArguments& arguments) {
  app.add_option(
         "--max-sessions", arguments.most_sessions,
         "Sessions at a time; who is more is told 421 4.3.2. Without it as many as files can be "
         "opened for")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->default_str("no limit");
  app.add_option("--max-sessions-per-client", arguments.most_sessions_per_client,
                 "Sessions at a time of each client address; who is more is told 421 4.7.0")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->default_str("no limit");
}

void add_transparent_options(CLI::App& app, ServiceArguments& arguments) {
  app.add_option(
         "--transparent", arguments.transparent,
         "Instead of --upstream: connect to where each client wanted to go, before a rule of "
         "the firewall sent it here (smtpscope setup transparent prints them)")
      ->type_name("redirect|tproxy")
      ->default_str("no");
  app.add_flag(
      "--spoof-client", arguments.spoof_client,
      "With --transparent tproxy: the server sees the client's own address; its answers must "
      "come back through this host");
}

Result<Done> read_service_arguments(const ServiceArguments& arguments, bool has_upstream,
                                    ProxyOptions& options) {
  options.most_sessions = arguments.most_sessions;
  options.most_sessions_per_client = arguments.most_sessions_per_client;
  if (arguments.transparent.empty()) {
    if (!has_upstream) {
      return Error{
          "no mail server: give --upstream HOST:PORT, or --transparent for where clients wanted to "
          "go"};
    }
    if (arguments.spoof_client) return Error{"--spoof-client needs --transparent tproxy"};
    return Done{};
  }
  if (has_upstream) {
    return Error{
        "--transparent connects to where the client wanted to go, --upstream to one server: give "
        "only "
        "one of them"};
  }
  const auto mode = parse_transparent(arguments.transparent, "--transparent");
  if (!mode) return mode.error();
  options.transparent = mode.value();
  options.spoof_client = arguments.spoof_client;
  if (arguments.spoof_client && options.transparent != Transparent::kTproxy) {
    return Error{
        "--spoof-client needs --transparent tproxy: with redirect the answers would not come "
        "back here"};
  }
  return Done{};
}

std::vector<std::string> missing_surroundings(const ProxyOptions& options) {
  if (options.transparent != Transparent::kTproxy) return {};
  const std::vector<std::string> commands = missing_for_tproxy();
  if (commands.empty()) return {};
  std::vector<std::string> sentences = {
      "clients will hang: packets that tproxy marks are not delivered on this host. As root:"};
  for (const std::string& command : commands) sentences.push_back("  " + command);
  sentences.emplace_back(
      "all that is needed is printed by: smtpscope setup transparent --mode tproxy");
  return sentences;
}

}  // namespace smtpscope
