#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/counted.h"
#include "base/system_error.h"
#include "cli/live_run.h"
#include "cli/option_values.h"
#include "cli/replay_arguments.h"
#include "cli/subcommand.h"
#include "lab/replay/recipients.h"
#include "lab/replay/replay_client.h"

namespace smtpscope {
namespace {

struct ReplayCommandArguments {
  std::string file;
  std::string to;
  std::vector<SessionId> sessions;
  ReplayArguments replay;
  std::string timeout = "60s";
  bool really = false;
  std::string recipient;
  bool keep_recipients = false;
  std::string capture;
  bool force = false;
  std::string format = "text";
  ComparisonLayout layout;
  Rendering rendering;
};

/// A folder of our own for the capture that nobody asked for; it goes with what is in it.
class ReplayFolder {
 public:
  ReplayFolder() = default;
  ~ReplayFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ReplayFolder(const ReplayFolder&) = delete;
  ReplayFolder& operator=(const ReplayFolder&) = delete;

  Result<std::string> make() {
    const char* directory = std::getenv("TMPDIR");
    std::string path = fmt::format("{}/smtpscope-replay-XXXXXX",
                                   directory != nullptr && *directory != '\0' ? directory : "/tmp");
    if (mkdtemp(path.data()) == nullptr) {
      return Error{fmt::format("cannot make the folder {}: {}; name a capture file with --write",
                               path, system_words(errno))};
    }
    path_ = path;
    return path_ + "/replay.smtpcap";
  }

 private:
  std::string path_;
};

/// Ends the proxy when the client has ended.
class ReplayEnd : public ReplayClientEvents {
 public:
  explicit ReplayEnd(Proxy& proxy) : proxy_(proxy) {}
  void on_replay_over(std::string_view failure) override {
    failure_ = failure;
    proxy_.stop();
  }
  const std::string& failure() const { return failure_; }

 private:
  Proxy& proxy_;
  std::string failure_;
};

/// Nobody else's mail server is meant by mistake.
bool is_on_this_host(const Endpoint& server) {
  if (server.kind != Endpoint::Kind::kTcp) return true;
  if (server.host == "localhost") return true;
  const auto address = SocketAddress::from_numeric(server.host, server.port);
  return address && address->is_loopback();
}

/// The sessions that were asked for, if the client's side of each can be played.
Result<std::vector<RecordedDialogue>> chosen_dialogues(const ReplayCommandArguments& arguments,
                                                       std::vector<RecordedDialogue> all) {
  std::set<SessionId> missing(arguments.sessions.begin(), arguments.sessions.end());
  std::vector<RecordedDialogue> wanted;
  wanted.reserve(all.size());
  for (RecordedDialogue& dialogue : all) {
    if (!arguments.sessions.empty() && missing.erase(dialogue.session) == 0) continue;
    wanted.push_back(std::move(dialogue));
  }
  if (!missing.empty()) {
    return Error{
        fmt::format("--session: there is no session {} in {}", *missing.begin(), arguments.file)};
  }
  std::size_t unfit = 0;
  std::string first;
  for (const RecordedDialogue& dialogue : wanted) {
    const std::string& why = dialogue.unfit.empty() ? dialogue.unfit_client : dialogue.unfit;
    if (why.empty()) continue;
    if (unfit++ == 0) first = fmt::format("session {} cannot be played: {}", dialogue.session, why);
  }
  if (unfit == 0) return wanted;
  return Error{fmt::format("{}: {}{}", arguments.file, first,
                           wanted.size() == 1
                               ? ""
                               : fmt::format("; {} of {} cannot. Choose others with --session",
                                             unfit, counted(wanted.size(), "session")))};
}

Result<Done> check_target(const ReplayCommandArguments& arguments, const Endpoint& server) {
  if (!arguments.recipient.empty() && arguments.keep_recipients) {
    return Error{"--recipient and --keep-recipients contradict each other: give one of them"};
  }
  if (is_on_this_host(server)) return Done{};
  if (!arguments.really) {
    return Error{fmt::format(
        "{} is not this host: mail that is played to it may be delivered again. If that is what "
        "you want, say --really, and who gets it: --recipient ADDRESS, or --keep-recipients",
        server.text())};
  }
  if (arguments.recipient.empty() && !arguments.keep_recipients) {
    return Error{
        "--really: say who gets the mail: --recipient ADDRESS in place of all recorded "
        "recipients, or --keep-recipients"};
  }
  return Done{};
}

/// What the command line asks for, files read.
struct ReplaySetting {
  Endpoint server;
  Duration patience{};
  ReplayPace pace;
  std::vector<RecordedDialogue> dialogues;
  RunInfo recorded;
};

Result<ReplaySetting> read(const ReplayCommandArguments& arguments) {
  ReplaySetting setting;
  auto server = parse_upstream(arguments.to);
  if (!server) return Error{"--to: " + server.error().message};
  setting.server = server.value();
  if (auto done = check_target(arguments, setting.server); !done) return done.error();
  const auto patience = parse_duration(arguments.timeout);
  if (!patience || *patience == Duration::zero()) {
    return Error{
        fmt::format("--timeout: '{}' is no time; give 5s, 500ms or 2m", arguments.timeout)};
  }
  setting.patience = *patience;
  auto pace = read_pace(arguments.replay, 0);
  if (!pace) return pace.error();
  setting.pace = pace.value();
  if (arguments.file == "-") {
    return Error{"the recording is read twice: give a file, not standard input"};
  }
  auto loaded = load_dialogues(arguments.file);
  if (!loaded) return loaded.error();
  setting.recorded = std::move(loaded.value().run);
  auto dialogues = chosen_dialogues(arguments, std::move(loaded.value().dialogues));
  if (!dialogues) return dialogues.error();
  setting.dialogues = std::move(dialogues.value());
  return setting;
}

/// A proxy of our own in front of the server, so that what is played is recorded as all else is.
Result<LiveRunOptions> live_options(const ReplayCommandArguments& arguments,
                                    const ReplaySetting& setting, ReplayFolder& folder) {
  LiveRunOptions options;
  ProxyOptions route;
  route.listen = {parse_listen("127.0.0.1:0").value()};
  route.upstream = setting.server;
  if (auto played = play_upstream(arguments.replay, route); !played) return played.error();
  options.routes.push_back(std::move(route));
  options.capture.path = arguments.capture;
  options.capture.force = arguments.force;
  if (options.capture.path.empty()) {
    auto path = folder.make();
    if (!path) return path.error();
    options.capture.path = path.value();
  }
  options.tap = "replay";
  options.brief = true;
  options.rendering.format = std::string(kNoFormat);
  // As much as the recording kept, so that the same is compared.
  options.policy.message_octets =
      parse_message_size(setting.recorded.message_kept).value_or(SanitizerPolicy::kEverything);
  options.policy.keep_credentials = setting.recorded.credentials_kept;
  return options;
}

int run(const ReplayCommandArguments& arguments) {
  auto read_setting = read(arguments);
  if (!read_setting) return fail(read_setting.error().message);
  ReplaySetting& setting = read_setting.value();
  ReplayComparison comparison;
  comparison.recording = arguments.file;
  comparison.timing = setting.pace.factor == 1;
  comparison.json = arguments.format == "json";
  comparison.layout = arguments.layout;
  comparison.rendering = arguments.rendering;
  std::uint64_t filler = 0;
  std::vector<SessionId> wanted;
  wanted.reserve(setting.dialogues.size());
  for (RecordedDialogue& dialogue : setting.dialogues) {
    wanted.push_back(dialogue.session);
    filler += dialogue.filler;
    if (arguments.recipient.empty()) continue;
    replace_recipients(dialogue, arguments.recipient, comparison.ignore);
  }

  ReplayFolder folder;
  auto options = live_options(arguments, setting, folder);
  if (!options) return fail(options.error().message);
  auto started = LiveRun::start(std::move(options.value()));
  if (!started) return fail(started.error().message);
  LiveRun& live = *started.value();
  if (filler > 0) {
    live.tell(fmt::format(
        "{} of messages are not in the recording: filler of the same size is sent instead",
        counted(filler, "octet")));
  }
  Proxy& proxy = *live.routes().proxies().front();
  ReplayClientPlan plan;
  plan.dialogues = std::move(setting.dialogues);
  plan.pace = setting.pace;
  plan.patience = setting.patience;
  plan.tell = [&live](const std::string& what) { live.tell(what); };
  plan.stopped = [&proxy] { return proxy.is_stopping(); };
  ReplayEnd end(proxy);
  ReplayClient client(live.loop(), proxy.addresses().front(), std::move(plan), end);
  client.start();
  int code = live.serve();
  if (proxy.totals().unreachable > 0) return kExitFailure;  // the proxy has said why
  // What was found so far, also behind Ctrl-C.
  const std::size_t played = client.played();
  comparison.sessions.insert(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(played));
  comparison.replayed = live.capture_path();
  comparison.replayed_sessions = played;
  if (played > 0) code = std::max(code, compare_replay(comparison));
  if (played == wanted.size()) return code;
  return fail(fmt::format("{} of {} were played{}{}", played, counted(wanted.size(), "session"),
                          end.failure().empty() ? "" : ": ", end.failure()));
}

std::function<int()> declare_replay(CLI::App& app) {
  auto arguments = std::make_shared<ReplayCommandArguments>();
  app.option_defaults()->group("Replay");
  app.add_option("FILE", arguments->file, "The recording: whatever show reads")->required();
  app.add_option("--to", arguments->to, "The mail server that it is played to")
      ->type_name("HOST:PORT|unix:PATH|sink")
      ->required();
  app.add_option("--session", arguments->sessions, "Play this session only. May be repeated")
      ->type_name("N")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("all, one after the other");
  add_pace_option(app, arguments->replay);
  app.add_option("--timeout", arguments->timeout,
                 "How long the server may be silent while it is waited for")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_flag("--really", arguments->really, "Play to a server that is not on this host");
  app.add_option("--recipient", arguments->recipient,
                 "Put this address in the place of every recorded recipient")
      ->type_name("ADDRESS")
      ->default_str("as recorded; with --really, to be said");
  app.add_flag("--keep-recipients", arguments->keep_recipients,
               "With --really: the recorded recipients get the mail again");
  app.option_defaults()->group("Output");
  app.add_option("-w,--write", arguments->capture, "Capture of what was played, mode 0600")
      ->type_name("FILE.smtpcap")
      ->default_str("none");
  app.add_flag("--force", arguments->force, "Overwrite the capture file if it exists");
  app.add_option("-f,--format", arguments->format, "text, or json (docs/comparison.schema.json)")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_flag("-y,--side-by-side", arguments->layout.side_by_side, "Two columns");
  app.add_option("--context", arguments->layout.context,
                 "Exchanges shown around what differs; -v shows all")
      ->capture_default_str();
  add_look_options(app, arguments->rendering, "All exchanges, and what was set aside");
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kReplayCommand = {
    .name = "replay",
    .description = "Play the client's side of a recording to a server, and compare",
    .examples =
        "  smtpscope replay run.smtpcap --to 127.0.0.1:2525\n"
        "  smtpscope replay run.smtpcap --session 3 --to localhost:25 --pace original -w "
        "again.smtpcap\n"
        "  smtpscope replay run.smtpcap --to mx.example:25 --really --recipient test@example.com\n"
        "  smtpscope proxy --listen 2525 --upstream replay:run.smtpcap     the server's side\n",
    .declare = declare_replay,
    .exit_status =
        "0 no difference to the recording, 1 there are some, 2 wrong usage, or it could not be "
        "played.",
};

}  // namespace smtpscope
