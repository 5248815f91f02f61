#include "cli/experiment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/ascii.h"
#include "base/system_error.h"
#include "capture/capture_series.h"
#include "cli/rendering.h"
#include "cli/replay_arguments.h"
#include "cli/scenario_arguments.h"
#include "exporters/exporter.h"
#include "net/loop.h"
#include "net/timer.h"
#include "proxy/proxy.h"
#include "trace/live_trace.h"

extern char** environ;  // NOLINT: POSIX wants it declared here

namespace smtpscope {
namespace {

class KeptText : public Output {
 public:
  void write(std::string_view text) override { text_ += text; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

class NoNotices : public ProxyNotices, public TraceNotices {
 public:
  void notice(std::string_view) override {}
};

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 127; });
}

/// Notes what a run came to, on the tracer's thread.
class ResultSink : public TimelineSink {
 public:
  ResultSink(ExperimentResult& result, Exporter& text) : result_(result), text_(text) {}

  void on_timeline(const TimelineEvent& event) override {
    text_.on_timeline(event);
    if (std::holds_alternative<TimelineSessionStarted>(event.body)) result_.connected = true;
    if (const auto* annotation = std::get_if<Annotation>(&event.body)) {
      result_.findings.emplace(annotation->rule->id);
      const bool about_client =
          annotation->fault == Fault::kClient && annotation->severity >= Severity::kWarning;
      if (about_client) result_.client_findings.emplace(annotation->rule->id);
    }
    const auto* entry = std::get_if<Entry>(&event.body);
    if (entry == nullptr || entry->by_proxy) return;
    if (const auto* reply = std::get_if<Reply>(&entry->item->body)) note_traits(*reply);
  }

 private:
  void add(std::string line) {
    if (std::ranges::find(result_.traits, line) == result_.traits.end()) {
      result_.traits.push_back(std::move(line));
    }
  }

  /// What of a reply can be another without changing what was answered.
  void note_traits(const Reply& reply) {
    if (reply.lines.empty()) return;
    if (reply.answers == Answers::kGreeting && reply.code == 220) {
      if (reply.lines.size() > 1) add("greeting: one line");
      add("greeting: reply \"220 mail.example ESMTP\"");
      return;
    }
    const bool hello = reply.verb == Verb::kEhlo || reply.verb == Verb::kLhlo;
    if (reply.answers == Answers::kCommand && hello && reply.code == 250) {
      for (const ReplyLine& line : reply.lines.subspan(1)) note_keyword(line.text);
      return;
    }
    if (reply.answers != Answers::kCommand || reply.verb == Verb::kUnknown) return;
    if (reply.lines.size() > 1) add(fmt::format("reply to {}: one line", to_string(reply.verb)));
    const std::string_view text = reply.last_text();
    if (reply.lines.size() > 1 || text.empty() || !is_plain(text) || reply.verb == Verb::kAuth ||
        reply.verb == Verb::kStartTls) {
      return;
    }
    const std::string said = fmt::format("{} {}", reply.code, text);
    add(fmt::format("replace reply to {} {} with \"{} Ok\"", to_string(reply.verb), in_quotes(said),
                    reply.code));
  }

  void note_keyword(std::string_view line) {
    if (!is_plain(line)) return;
    const std::size_t end = std::min(line.find_first_of(" ="), line.size());
    const std::string keyword = in_upper_case(line.substr(0, end));
    if (keyword.empty() || keyword.find_first_of(",:\"#") != std::string::npos) return;
    add("hide " + keyword);
    // Its parameters alone.
    if (end < line.size() && line[end] == ' ') add("offer " + keyword);
  }

  ExperimentResult& result_;
  Exporter& text_;
};

/// The client as a process, in a group of its own; stops the proxy when it has ended.
class ClientProcess {
 public:
  ClientProcess(Loop& loop, Proxy& proxy, Duration patience, const std::atomic<bool>* stop)
      : loop_(loop),
        proxy_(proxy),
        stop_(stop),
        began_(loop.now()),
        until_(began_ + patience),
        timer_(Timer::calling<&ClientProcess::on_look>(loop, this)) {}

  Result<Done> start(const std::vector<std::string>& command, const std::string& output) {
    std::vector<char*> words;
    words.reserve(command.size() + 1);
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    const char* const said = output.empty() ? "/dev/null" : output.c_str();
    const int how = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, said, how, 0600);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    // smtpscope ignores SIGPIPE; a client that was not asked does not.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    // A worker takes no signals; the client does. Of its own group, so that what it starts ends
    // with it.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    const int fault = posix_spawnp(&process_, words[0], &files, &attributes, words.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (fault != 0) {
      return Error{fmt::format("cannot start {}: {}", command.front(), system_words(fault))};
    }
    timer_->start_repeating(std::chrono::milliseconds(5));
    return Done{};
  }

  int exit_code() const { return exit_code_; }
  bool timed_out() const { return timed_out_; }
  bool stopped() const { return stopped_; }
  Time began() const { return began_; }
  Time ended() const { return ended_; }

 private:
  void end_it(bool& why) {
    why = true;
    ended_ = loop_.now();
    kill(-process_, SIGKILL);
  }

  void on_look() {
    const bool killed = timed_out_ || stopped_;
    if (!killed && stop_ != nullptr && stop_->load()) {
      end_it(stopped_);
    } else if (!killed && loop_.now() >= until_) {
      end_it(timed_out_);
    }
    int status = 0;
    const pid_t ended = waitpid(process_, &status, WNOHANG);
    if (ended == 0) return;
    if (!timed_out_ && !stopped_) ended_ = loop_.now();
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    timer_.reset();
    proxy_.stop();
  }

  Loop& loop_;
  Proxy& proxy_;
  const std::atomic<bool>* const stop_;
  const Time began_;
  const Time until_;
  TimerPtr timer_;
  pid_t process_ = 0;
  int exit_code_ = 0;
  Time ended_;
  bool timed_out_ = false;
  bool stopped_ = false;
};

/// Has notes kept of all sessions, at their ends: what a scenario does lies between.
void watch_ends(ProxyOptions& options, std::deque<SessionNotes>& sessions) {
  options.experiment = [between = std::move(options.experiment), &sessions](
                           SessionId session, const Arrival& arrival, Time now,
                           SessionObserver* observer) {
    ProxyOptions::Layers layers;
    layers.push_back(std::make_unique<EndsWatch>(sessions.emplace_back(), now));
    if (!between) return layers;
    for (auto& layer : between(session, arrival, now, observer)) layers.push_back(std::move(layer));
    return layers;
  };
}

Result<std::unique_ptr<CaptureSeries>> open_run_capture(const ExperimentFiles& files,
                                                        const RunInfo& info) {
  CaptureSeriesOptions options;
  options.path = files.capture;
  options.force = files.force;
  return CaptureSeries::open(options, info, [](std::string_view) {});
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

std::vector<std::string> burdens_of(const std::vector<std::string>& traits, Duration delay) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(delay).count();
  std::vector<std::string> burdens;
  burdens.reserve(traits.size() + 8);
  for (const std::string_view moment :
       {"greeting", "reply to EHLO", "reply to MAIL", "reply to RCPT", "reply to DATA",
        "reply to final dot", "reply to QUIT"}) {
    burdens.push_back(fmt::format("{}: wait {}ms", moment, ms));
  }
  burdens.emplace_back("server: slice 1 every 1ms");
  for (const std::string& trait : traits) {
    if (trait.starts_with("hide ") || trait.starts_with("offer ")) burdens.push_back(trait);
  }
  return burdens;
}

Result<ExperimentResult> run_experiment(const ExperimentSetting& setting, const RuleSet& rules,
                                        const LabProgram& program, const ExperimentFiles& files) {
  auto made = Loop::make();
  if (!made) return made.error();
  Loop& loop = *made.value();
  ExperimentResult result;
  NoNotices notices;
  KeptText output;
  const auto text = all_exporters().front().make(exporter_options(Rendering(), rules, -1), output);
  RunInfo info;
  info.started = loop.started();
  info.writer = "smtpscope " SMTPSCOPE_VERSION;
  info.source = "live";
  info.message_kept = "full";
  text->begin_run(info);
  std::unique_ptr<CaptureSeries> capture;
  if (!files.capture.empty()) {
    auto opened = open_run_capture(files, info);
    if (!opened) return opened.error();
    capture = std::move(opened.value());
  }
  ResultSink sink(result, *text);
  {
    TraceNotices& of_tracing = notices;
    LiveTrace trace(SanitizerPolicy(), rules, capture.get(), &sink, nullptr, of_tracing);
    ProxyOptions options;
    options.listen = {parse_listen("127.0.0.1:0").value()};
    options.upstream = setting.upstream;
    options.grace = std::chrono::seconds(2);
    if (auto played = play_upstream(ReplayArguments(), options); !played) return played.error();
    std::shared_ptr<ScenarioRun> scenario;
    if (!program.lines.empty()) scenario = play_scenario(program, options);
    watch_ends(options, result.sessions);
    Proxy proxy(loop, std::move(options), &trace, notices);
    if (auto started = proxy.start(); !started) return started.error();
    const SocketAddress address = proxy.addresses().front();
    std::vector<std::string> command = setting.command;
    for (std::string& word : command) {
      replace_all(word, "{host}", address.host());
      replace_all(word, "{port}", std::to_string(address.port()));
      replace_all(word, "{folder}", files.folder);
    }
    ClientProcess client(loop, proxy, setting.patience, setting.stop);
    auto started = client.start(command, files.client_output);
    if (!started) proxy.stop_now();
    loop.run();
    trace.finish();
    if (!started) return started.error();
    result.exit_code = client.exit_code();
    result.timed_out = client.timed_out();
    result.stopped = client.stopped();
    result.began = client.began();
    result.ended = client.ended();
    for (std::size_t line = 0; line < program.lines.size(); ++line) {
      result.uses.push_back(scenario->uses(line));
    }
  }
  text->end_run();
  text->finish();
  if (capture && !capture->close()) {
    return Error{fmt::format("cannot write {}: {}", files.capture, capture->totals().trouble)};
  }
  result.timeline = output.take();
  return result;
}

}  // namespace smtpscope
