#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/live_run.h"
#include "cli/option_values.h"
#include "cli/rule_options.h"
#include "cli/subcommand.h"
#include "cli/tls_arguments.h"

namespace smtpscope {
namespace {

/// What the command line says, as text; read in run().
struct ProxyArguments {
  std::vector<std::string> listen;
  std::string upstream;
  std::vector<std::string> allow;
  std::string capture;
  bool force = false;
  // Enough for the header and text of nearly every mail written by hand; what makes a message
  // larger is attachments, whose octets tell nothing that the facts kept of them do not. And it
  // bounds what a busy relay writes: a capture grows with the number of messages, not their size.
  std::string message = "64K";
  bool keep_credentials = false;
  std::string tap;
  std::string grace = "5s";
  std::string connect_timeout = "10s";
  TlsArguments tls;
  Rendering rendering;
  RuleOptions rules;
};

Result<LiveRunOptions> read(const ProxyArguments& arguments) {
  LiveRunOptions options;
  for (const std::string& text : arguments.listen) {
    auto endpoint = parse_listen(text);
    if (!endpoint) return endpoint.error();
    options.proxy.listen.push_back(endpoint.value());
  }
  auto upstream = parse_upstream(arguments.upstream);
  if (!upstream) return upstream.error();
  options.proxy.upstream = upstream.value();
  auto tls = read_tls_arguments(arguments.tls);
  if (!tls) return tls.error();
  options.proxy.tls = std::move(tls.value());
  options.proxy.tls.force = arguments.force;
  for (const std::string& text : arguments.tls.listen) {
    auto endpoint = parse_listen(text);
    if (!endpoint) return endpoint.error();
    options.proxy.listen_tls.push_back(endpoint.value());
  }
  if (arguments.listen.empty() && arguments.tls.listen.empty()) {
    return Error{
        "nowhere to listen: give --listen PORT, or --listen-tls PORT for clients that "
        "speak TLS from the first octet"};
  }
  for (const std::string& cidr : arguments.allow) {
    if (auto added = options.proxy.allow.add(cidr); !added) return added.error();
  }
  const auto grace = parse_duration(arguments.grace);
  const auto connect_timeout = parse_duration(arguments.connect_timeout);
  if (!grace || !connect_timeout || *connect_timeout == Duration::zero()) {
    return Error{fmt::format("cannot wait for '{}': give a time such as 5s, 500ms or 2m",
                             grace ? arguments.connect_timeout : arguments.grace)};
  }
  options.proxy.grace = *grace;
  options.proxy.connect_timeout = *connect_timeout;
  const auto message = parse_message_size(arguments.message);
  if (!message) {
    return Error{
        fmt::format("cannot keep '{}' of a message: give full, none, or a size such as 64K",
                    arguments.message)};
  }
  options.policy.message_octets = *message;
  options.policy.keep_credentials = arguments.keep_credentials;
  options.capture = arguments.capture;
  options.force = arguments.force;
  options.tap = arguments.tap;
  options.rendering = arguments.rendering;
  auto rules = make_rules(arguments.rules);
  if (!rules) return rules.error();
  options.rules = std::move(rules.value());
  return options;
}

int run(const ProxyArguments& arguments) {
  auto options = read(arguments);
  if (!options) return fail(options.error().message);
  auto live = LiveRun::start(std::move(options.value()));
  if (!live) return fail(live.error().message);
  const int code = live.value()->serve();
  live.value()->print_totals();
  return code;
}

std::function<int()> declare_proxy(CLI::App& app) {
  auto arguments = std::make_shared<ProxyArguments>();
  app.add_option("--listen", arguments->listen,
                 "Where clients connect; a port alone is the loopback. May be repeated")
      ->type_name("[HOST:]PORT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--upstream", arguments->upstream,
                 "The mail server; 'sink' is one built in, that accepts and discards")
      ->type_name("HOST:PORT|unix:PATH|sink")
      ->required();
  app.add_option("-w,--write", arguments->capture, "Capture file to write, mode 0600")
      ->type_name("FILE.smtpcap");
  app.add_flag("--force", arguments->force,
               "Replace the capture file, and the key log, if they exist");
  app.add_option("--message", arguments->message,
                 "How much of each message the capture keeps: full, none, or octets (64K, 1M). "
                 "Facts about the rest are always kept")
      ->type_name("SIZE")
      ->capture_default_str();
  app.add_flag("--keep-credentials", arguments->keep_credentials,
               "Do NOT mask AUTH exchanges: whoever reads the capture can log in with them");
  app.add_option("--tap", arguments->tap, "Label of this vantage point, kept in the capture")
      ->type_name("NAME");
  app.add_option("--allow", arguments->allow,
                 "Network whose clients may connect, besides the loopback. Needed to listen "
                 "anywhere else, for the server sees every client come from this host. May be "
                 "repeated")
      ->type_name("CIDR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--grace", arguments->grace,
                 "How long sessions may go on after SIGINT or SIGTERM; a second signal ends them")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("--connect-timeout", arguments->connect_timeout,
                 "How long each address of the server may take to answer")
      ->type_name("TIME")
      ->capture_default_str();
  add_tls_options(app, arguments->tls);
  static constexpr std::string_view kMore[] = {kNoFormat};
  add_rendering_options(app, arguments->rendering, Formats::kLive, kMore);
  add_rule_options(app, arguments->rules);
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kProxyCommand = {
    .name = "proxy",
    .description = "Relay between clients and a mail server, and trace what they say",
    .examples =
        "  smtpscope proxy --listen 2525 --upstream mx.example:25 -w today.smtpcap\n"
        "  smtpscope proxy --listen 2525 --upstream sink\n"
        "  smtpscope proxy --listen 0.0.0.0:25 --allow 192.0.2.0/24 --upstream 127.0.0.1:10025\n"
        "  smtpscope proxy --listen 2525 --upstream mx.example:25 --tls intercept -w "
        "today.smtpcap\n"
        "  smtpscope proxy --listen-tls 4650 --upstream mx.example:465 --tls intercept\n"
        "  smtpscope proxy --listen 2424 --upstream unix:/run/dovecot/lmtp --message none -w "
        "l.smtpcap\n",
    .declare = declare_proxy,
};

}  // namespace smtpscope
