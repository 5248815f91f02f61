#include "cli/web_page.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "base/ascii.h"
#include "cli/option_values.h"

namespace smtpscope {

void add_web_address_option(CLI::App& app, WebArguments& arguments) {
  app.add_option("--web", arguments.address,
                 "Serve the live page there; a port alone, or nothing (8625), means loopback")
      ->type_name("[HOST:]PORT")
      ->expected(0, 1)
      ->default_str("8625");
}

void add_web_options(CLI::App& app, WebArguments& arguments) {
  app.option_defaults()->group("Page");
  app.add_option("--web-token", arguments.token,
                 "Word that readers of the page must know; needed for any address but loopback")
      ->default_str("none")
      ->type_name("WORD");
  app.add_option("--web-name", arguments.names,
                 "Name by which browsers may call this host, besides its address. May be repeated")
      ->default_str("none")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--web-memory", arguments.memory,
                 "How much of the records is held for the page; the sessions that ended first go "
                 "first, and "
                 "are read back from the capture when they are asked for")
      ->type_name("SIZE")
      ->capture_default_str();
}

Result<WebOptions> WebPage::check(const WebArguments& arguments) {
  WebOptions web;
  if (const auto read = read_web_address(arguments.address, web); !read) return read.error();
  const auto memory = parse_message_size(arguments.memory);
  if (!memory || *memory < 1024 * 1024) {
    return Error{fmt::format("--web-memory: '{}' is no size of 1M or more", arguments.memory)};
  }
  // It goes into an address and a cookie (RFC 6265 4.1.1).
  for (const char c : arguments.token) {
    if (!is_alphanumeric(c) && c != '-' && c != '_' && c != '.') {
      return Error{"--web-token: letters, digits and - _ . only, for it goes into an address"};
    }
  }
  web.memory = *memory;
  web.token = arguments.token;
  for (const std::string& name : arguments.names) web.names.push_back(in_lower_case(name));
  return web;
}

Result<std::unique_ptr<WebPage>> WebPage::start(const WebArguments& arguments, bool live,
                                                const ExporterOptions& options,
                                                OlderSessions* older,
                                                std::function<std::string()> metrics) {
  auto web = check(arguments);
  if (!web) return web.error();
  web.value().live = live;
  web.value().older = older;
  web.value().metrics = std::move(metrics);
  auto server = WebServer::start(web.value());
  if (!server) return server.error();
  return std::unique_ptr<WebPage>(new WebPage(std::move(server.value()), options));
}

}  // namespace smtpscope
