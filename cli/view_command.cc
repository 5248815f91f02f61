#include <fmt/format.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/file_output.h"
#include "cli/recorded_sessions.h"
#include "cli/rendering.h"
#include "cli/rule_options.h"
#include "cli/run_loading.h"
#include "cli/subcommand.h"
#include "cli/web_page.h"
#include "diff/taps/taps_comparison.h"
#include "exporters/comparison/taps_record.h"
#include "readers/reader_list.h"
#include "trace/replay.h"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace smtpscope {
namespace {

struct ViewArguments {
  std::vector<std::string> files;
  SourceOptions source;
  Rendering rendering;
  RuleOptions rules;
  WebArguments web;
  bool open = false;
  bool taps = false;  // the files are one run, seen from two places
};

/// A recorded run on its way to the page, which is told of the run before its first event.
class ViewedRun : public TimelineSink, public WireSink {
 public:
  ViewedRun(const WireSource& source, Exporter& page) : source_(source), page_(page) {}
  void begin() {
    if (!std::exchange(begun_, true)) page_.begin_run(source_.run());
  }
  void on_timeline(const TimelineEvent& event) override {
    begin();
    page_.on_timeline(event);
  }
  void on_wire(const WireEvent& event) override { page_.on_record(event); }

 private:
  const WireSource& source_;
  Exporter& page_;
  bool begun_ = false;
};

/// What could not be read is reported; gives false if that was everything.
bool show(const std::string& file, const ViewArguments& arguments, const RuleSet& rules,
          Exporter& page, RecordedSessions& older) {
  auto opened = open_source(file, arguments.source);
  if (!opened) {
    static_cast<void>(fail(opened.error().message));
    return false;
  }
  older.add(file);
  WireSource& source = *opened.value();
  ViewedRun run(source, page);
  Replay replay({}, rules, run, &run);
  replay.tell_headlines_of(source.run());
  while (true) {
    const Result<bool> more = source.next(replay);
    if (!more) {
      static_cast<void>(fail(fmt::format("{}: {}", file, more.error().message)));
      break;
    }
    if (!more.value()) break;
  }
  source.finish(replay);
  replay.finish();
  run.begin();
  page.end_run();
  for (const SourceNotice& notice : source.notices()) {
    static_cast<void>(fail(fmt::format("{}: {}", file, notice.text)));
  }
  for (const std::string& failure : replay.failures()) {
    static_cast<void>(fail(fmt::format("{}: {}; its timeline ends there", file, failure)));
  }
  return true;
}

/// What something between the two taps did, to the page. False: they cannot be compared, which was
/// said.
bool compare(const ViewArguments& arguments, const RuleSet& rules, WebPage& page) {
  std::vector<LoadedRun> loaded;
  for (const std::string& file : arguments.files) {
    Result<LoadedRun> run = load_run(file, rules);
    if (!run) {
      static_cast<void>(fail(run.error().message));
      return false;
    }
    loaded.push_back(std::move(run.value()));
  }
  const TapsComparison comparison = compare_taps(loaded[0].run, loaded[1].run, rules);
  if (!comparison.trouble.empty()) {
    static_cast<void>(fail(comparison.trouble));
    return false;
  }
  page.add(taps_record(comparison));
  return true;
}

/// Does not wait for the browser; xdg-open itself ends at once.
void open_browser(const std::string& address) {
  std::string program = "xdg-open";
  std::string argument = address;
  char* const words[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, program.c_str(), nullptr, nullptr, words, environ) != 0) {
    static_cast<void>(fail("xdg-open cannot be run; open the address yourself"));
  }
}

int run(ViewArguments& arguments) {
  if (arguments.taps && (arguments.files.size() != 2 || arguments.files[0] == arguments.files[1] ||
                         std::ranges::count(arguments.files, "-") > 0)) {
    return fail(
        "--taps compares two files of the same sessions: smtpscope view --taps NEAR-CLIENT "
        "NEAR-SERVER");
  }
  const auto rules = make_rules(arguments.rules);
  if (!rules) return fail(rules.error().message);
  if (const auto read = read_filter(arguments.rendering); !read) return fail(read.error().message);
  // Before there are threads, which inherit it: the signals are waited for below.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGCHLD, SIG_IGN);  // nobody waits for the browser

  ExporterOptions options;
  options.rules = &rules.value();
  options.filter = arguments.rendering.filter.get();
  RecordedSessions older(arguments.source, rules.value(), options);
  auto page = WebPage::start(arguments.web, false, options, &older);
  if (!page) return fail(page.error().message);
  bool any = false;
  for (const std::string& file : arguments.files) {
    any = show(file, arguments, rules.value(), page.value()->records(), older) || any;
  }
  if (arguments.taps && !compare(arguments, rules.value(), *page.value())) return kExitFailure;
  page.value()->flush();
  if (!any) return kExitFailure;
  const std::string address = page.value()->address();
  static_cast<void>(print(fmt::format("{}\n", address)));
  static_cast<void>(fail("the page is served until Ctrl-C"));
  if (arguments.open) open_browser(address);
  int which = 0;
  sigwait(&stop, &which);
  return kExitFine;
}

std::function<int()> declare_view(CLI::App& app) {
  auto arguments = std::make_shared<ViewArguments>();
  arguments->web.address = "8625";
  app.add_option("FILE", arguments->files, "What smtpscope show reads; - is standard input")
      ->required();
  app.add_flag("--taps", arguments->taps,
               "The two FILEs are the same sessions, recorded near the client and near the server: "
               "show what something in between changed (as smtpscope diff --taps)");
  app.add_flag("--open", arguments->open, "Open it in the browser (xdg-open)");
  app.add_option("--web", arguments->web.address, "Where to serve it; a port alone means loopback")
      ->type_name("[HOST:]PORT")
      ->capture_default_str();
  add_web_options(app, arguments->web);
  add_filter_option(app, arguments->rendering.filter_text);
  app.option_defaults()->group("Selection");
  app.add_option("--port", arguments->source.ports,
                 "In captures of packets: what is said on these ports, and nothing else")
      ->default_str("all")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 65535))
      ->type_name("N[,N...]");
  add_rule_options(app, arguments->rules);
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kViewCommand = {
    .name = "view",
    .description = "Show captures, packets and logs as a page in the browser",
    .examples =
        "  smtpscope view --open today.smtpcap\n"
        "  smtpscope view mail.pcap /var/log/mail.log\n"
        "  smtpscope view --web 127.0.0.1:8080 --filter 'outcome:refused' today.smtpcap\n"
        "  smtpscope view --taps near-client.smtpcap near-server.smtpcap\n"
        "  ssh mx cat run.smtpcap | smtpscope view -\n",
    .declare = declare_view,
};

}  // namespace smtpscope
