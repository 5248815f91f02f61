#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/configuration.h"
#include "cli/identity_arguments.h"
#include "cli/replay_arguments.h"
#include "cli/scenario_arguments.h"
#include "cli/service_arguments.h"
#include "cli/tls_arguments.h"
#include "proxy/proxy.h"

namespace smtpscope {

/// What is said of one way through the proxy, as text: where clients come, where they are brought,
/// and as whom. The rest of the options of `proxy` are the process's.
struct RouteArguments {
  std::vector<std::string> listen;
  std::string upstream;
  std::vector<std::string> allow;
  bool allow_everyone = false;
  std::string connect_timeout = "10s";
  IdentityArguments identity;
  ServiceArguments service;
  TlsArguments tls;
  ScenarioArguments scenario;
  ReplayArguments replay;
};

/// Adds the options of a route to `app`, but for --filter, which the whole process has, too.
void add_route_options(CLI::App& app, RouteArguments& arguments);

/// `inherited`: the sockets that were opened for it. The Error names the option.
Result<ProxyOptions> read_route_arguments(const RouteArguments& arguments,
                                          std::vector<InheritedListener> inherited);

/// Who may connect, in words.
std::string clients_in_words(const RouteArguments& arguments);

/// A section [route NAME] of a configuration, and the options that it gives.
class RouteSection {
 public:
  /// `section` must outlive it.
  explicit RouteSection(ConfigurationSection& section);
  RouteSection(const RouteSection&) = delete;
  RouteSection& operator=(const RouteSection&) = delete;

  /// An option of that name may stand in such a section.
  bool has(std::string_view name) const;
  /// Reads the section. `process`: has the options that may not stand there, but elsewhere.
  Result<Done> apply(const CLI::App& process);

  const std::string& name() const { return section_.name(); }
  const RouteArguments& arguments() const { return arguments_; }
  /// Which of its sessions are shown; "": all.
  const std::string& filter() const { return filter_; }
  /// With the place in the section, and the route's name, in front.
  Error placed(const Error& error) const { return section_.placed(error); }
  Error each_placed(const Error& faults) const { return section_.each_placed(faults); }

 private:
  ConfigurationSection& section_;
  RouteArguments arguments_;
  std::string filter_;
  CLI::App app_;
};

/// The option's name is one of `app`'s.
bool has_option(const CLI::App& app, std::string_view name);

/// One filter out of that of the whole process and those of its routes; "": all sessions. Each must
/// be right by itself.
std::string joined_filter(const std::string& whole,
                          const std::vector<std::unique_ptr<RouteSection>>& routes);

}  // namespace smtpscope
