#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/system_error.h"
#include "cli/live_run.h"
#include "cli/option_values.h"
#include "cli/subcommand.h"
#include "proxy/sink/demo_client.h"

namespace smtpscope {
namespace {

struct DemoArguments {
  std::string pause = "2s";
  std::string capture;
  bool force = false;
  Rendering rendering;
  WebArguments web;
};

/// What counts as a pause before the mail is announced again, unless the demo makes a shorter one.
constexpr Duration kStoryPause = std::chrono::seconds(1);

/// A path for the capture that nobody else can have prepared.
Result<std::string> temporary_capture() {
  const char* directory = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/smtpscope-demo-XXXXXX",
                                 directory != nullptr && *directory != '\0' ? directory : "/tmp");
  if (mkdtemp(path.data()) == nullptr) {
    return Error{fmt::format("cannot make the folder {}: {}; name a capture file with --write",
                             path, system_words(errno))};
  }
  return path + "/demo.smtpcap";
}

void tell(std::string_view text) {
  // Not by fmt::print(), which throws when nobody can be told.
  std::fputs(fmt::format("smtpscope: {}\n", text).c_str(), stderr);
}

/// Ends the proxy when the demo's client has ended; where there is a page, its reader does.
class DemoEnd : public DemoEvents {
 public:
  DemoEnd(Stoppable& proxy, std::string page) : proxy_(proxy), page_(std::move(page)) {}
  void on_demo_over(std::string_view failure) override {
    failure_ = failure;
    if (page_.empty() || !failure.empty()) {
      proxy_.stop();
    } else {
      tell(fmt::format("look at it on {} until Ctrl-C", page_));
    }
  }
  const std::string& failure() const { return failure_; }

 private:
  Stoppable& proxy_;
  const std::string page_;
  std::string failure_;
};

int run(const DemoArguments& arguments) {
  LiveRunOptions options;
  ProxyOptions& route = options.routes.emplace_back();
  route.listen = {parse_listen("127.0.0.1:0").value()};
  route.upstream.kind = Endpoint::Kind::kSink;
  options.capture.path = arguments.capture;
  options.capture.force = arguments.force;
  options.tap = "demo";
  options.brief = true;  // the story fits a screen
  options.rendering = arguments.rendering;
  options.web = arguments.web;
  const auto pause = parse_duration(arguments.pause);
  if (!pause) {
    return fail(fmt::format("--pause: '{}' is no time; give 2s or 10s", arguments.pause));
  }
  // The story's pause was ten seconds. Nobody wants to wait for that, so a shorter one counts here.
  options.rules.set(Threshold::kInterceptionPause, std::min(pause->count(), kStoryPause.count()));
  if (options.capture.path.empty()) {
    auto path = temporary_capture();
    if (!path) return fail(path.error().message);
    options.capture.path = path.value();
  }

  auto live = LiveRun::start(std::move(options));
  if (!live) return fail(live.error().message);
  LiveRun& demo = *live.value();
  DemoEnd end(demo.routes(), demo.page_address());
  if (!demo.page_address().empty()) tell(fmt::format("page: {}", demo.page_address()));
  DemoClient client(demo.loop(), demo.routes().proxies().front()->addresses().front(), *pause, end);
  client.start();
  const int code = demo.serve();
  demo.print_totals();
  if (!end.failure().empty()) return fail(fmt::format("the demo failed: {}", end.failure()));
  if (code == kExitFine) {
    tell(fmt::format("see it again with: smtpscope show {}", demo.capture_path()));
  }
  return code;
}

std::function<int()> declare_demo(CLI::App& app) {
  auto arguments = std::make_shared<DemoArguments>();
  app.add_option("--pause", arguments->pause, "Length of the silence before the mail is sent again")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("-w,--write", arguments->capture, "Capture file to write")
      ->default_str("one in a new folder under $TMPDIR or /tmp")
      ->type_name("FILE.smtpcap");
  app.add_flag("--force", arguments->force, "Overwrite the capture file if it exists");
  static constexpr std::string_view kMore[] = {kNoFormat};
  add_rendering_options(app, arguments->rendering, Formats::kLive, kMore);
  add_web_address_option(app, arguments->web);
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kDemoCommand = {
    .name = "demo",
    .description = "Play a story with a built-in client and server, and show its timeline",
    .examples =
        "  smtpscope demo\n"
        "  smtpscope demo --web\n"
        "  smtpscope demo --pause 10s -w demo.smtpcap\n",
    .declare = declare_demo,
};

}  // namespace smtpscope
