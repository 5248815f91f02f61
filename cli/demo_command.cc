#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "base/system_error.h"
#include "cli/live_run.h"
#include "cli/option_values.h"
#include "cli/subcommand.h"
#include "proxy/demo_client.h"

namespace smtpscope {
namespace {

struct DemoArguments {
  std::string pause = "2s";
  std::string capture;
  bool force = false;
  Rendering rendering;
};

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

/// Ends the proxy when the demo's client has ended.
class DemoEnd : public DemoEvents {
 public:
  explicit DemoEnd(Proxy& proxy) : proxy_(proxy) {}
  void on_demo_over(std::string_view failure) override {
    failure_ = failure;
    proxy_.stop();
  }
  const std::string& failure() const { return failure_; }

 private:
  Proxy& proxy_;
  std::string failure_;
};

int run(const DemoArguments& arguments) {
  LiveRunOptions options;
  options.proxy.listen = {parse_listen("127.0.0.1:0").value()};
  options.proxy.upstream.kind = Endpoint::Kind::kSink;
  options.capture = arguments.capture;
  options.force = arguments.force;
  options.tap = "demo";
  options.rendering = arguments.rendering;
  const auto pause = parse_duration(arguments.pause);
  if (!pause) {
    return fail(
        fmt::format("cannot pause for '{}': give a time such as 2s or 10s", arguments.pause));
  }
  if (options.capture.empty()) {
    auto path = temporary_capture();
    if (!path) return fail(path.error().message);
    options.capture = path.value();
  }

  auto live = LiveRun::start(std::move(options));
  if (!live) return fail(live.error().message);
  LiveRun& demo = *live.value();
  DemoEnd end(demo.proxy());
  DemoClient client(demo.loop(), demo.proxy().addresses().front(), *pause, end);
  client.start();
  const int code = demo.serve();
  demo.print_totals();
  if (!end.failure().empty()) return fail(fmt::format("the demo broke off: {}", end.failure()));
  if (code == kExitFine) {
    fmt::print(stderr, "smtpscope: see it again with: smtpscope show {}\n", demo.capture_path());
  }
  return code;
}

std::function<int()> declare_demo(CLI::App& app) {
  auto arguments = std::make_shared<DemoArguments>();
  app.add_option("--pause", arguments->pause,
                 "The silence before the mail is sent again; the story it retells had 10s")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("-w,--write", arguments->capture,
                 "Capture file to write; by default one in a new folder under $TMPDIR or /tmp")
      ->type_name("FILE.smtpcap");
  app.add_flag("--force", arguments->force, "Replace the capture file if it exists");
  static constexpr std::string_view kMore[] = {kNoFormat};
  add_rendering_options(app, arguments->rendering, Formats::kLive, kMore);
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kDemoCommand = {
    .name = "demo",
    .description = "Play a story with a built-in client and server, and show its timeline",
    .examples =
        "  smtpscope demo\n"
        "  smtpscope demo --pause 10s -w demo.smtpcap\n",
    .declare = declare_demo,
};

}  // namespace smtpscope
