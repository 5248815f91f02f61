#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "exporters/html/page_records.h"
#include "web/gathered_records.h"
#include "web/web_server.h"

namespace CLI {
class App;
}

namespace smtpscope {

/// Where a page is served, as the user says it; read by WebPage::start().
struct WebArguments {
  std::string address;  // --web; "": no page is served
  std::string token;
  std::vector<std::string> names;
  std::string memory = "256M";
};

/// Adds --web, for a live page that is served if it is given.
void add_web_address_option(CLI::App& app, WebArguments& arguments);
/// Adds --web-token, --web-name and --web-memory to `app`.
void add_web_options(CLI::App& app, WebArguments& arguments);

/// A page that is served, and what is written to it. Not thread-safe but for what WebServer is.
class WebPage {
 public:
  /// What the user says, understood. Nothing is opened.
  static Result<WebOptions> check(const WebArguments& arguments);
  /// Listens afterwards. `live`: more may come of the run. `older` reads what fell out of memory;
  /// nullptr: it is gone. `metrics`: see WebOptions. It and the filter of `options` must outlive
  /// this.
  static Result<std::unique_ptr<WebPage>> start(const WebArguments& arguments, bool live,
                                                const ExporterOptions& options,
                                                OlderSessions* older,
                                                std::function<std::string()> metrics = {});

  /// What is written to it is seen after flush().
  PageRecords& records() { return records_; }
  void flush() { gathered_.flush(); }
  /// A record that no exporter makes: a line of JSON that is of no session.
  void add(std::string_view record) { gathered_.write(record); }
  std::string address() const { return server_->address(); }

 private:
  WebPage(std::unique_ptr<WebServer> server, const ExporterOptions& options)
      : server_(std::move(server)), gathered_(server_->records()), records_(options, gathered_) {}

  std::unique_ptr<WebServer> server_;
  GatheredRecords gathered_;
  PageRecords records_;
};

}  // namespace smtpscope
