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
  }

  ExperimentResult& result_;
  Exporter& text_;
};

/// The client as a process; stops the proxy when it has ended.
class ClientProcess {
 public:
  ClientProcess(Loop& loop, Proxy& proxy, Duration patience)
      : loop_(loop),
        proxy_(proxy),
        until_(loop.now() + patience),
        timer_(Timer::calling<&ClientProcess::on_look>(loop, this)) {}

  Result<Done> start(const std::vector<std::string>& command) {
    std::vector<char*> words;
    words.reserve(command.size() + 1);
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      posix_spawn_file_actions_addopen(&files, stream, "/dev/null", O_RDWR, 0);
    }
    // smtpscope ignores SIGPIPE; a client that was not asked does not.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
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

 private:
  void on_look() {
    if (loop_.now() >= until_ && !timed_out_) {
      timed_out_ = true;
      kill(process_, SIGKILL);
    }
    int status = 0;
    const pid_t ended = waitpid(process_, &status, WNOHANG);
    if (ended == 0) return;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    timer_.reset();
    proxy_.stop();
  }

  Loop& loop_;
  Proxy& proxy_;
  const Time until_;
  TimerPtr timer_;
  pid_t process_ = 0;
  int exit_code_ = 0;
  bool timed_out_ = false;
};

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

Result<ExperimentResult> run_experiment(const ExperimentSetting& setting, const RuleSet& rules,
                                        const LabProgram& program) {
  auto made = Loop::make();
  if (!made) return made.error();
  Loop& loop = *made.value();
  ExperimentResult result;
  NoNotices notices;
  KeptText output;
  const auto text = all_exporters().front().make(exporter_options(Rendering(), rules, -1), output);
  RunInfo info;
  info.started = loop.started();
  info.source = "live";
  text->begin_run(info);
  ResultSink sink(result, *text);
  {
    TraceNotices& of_tracing = notices;
    LiveTrace trace(SanitizerPolicy(), rules, nullptr, &sink, nullptr, of_tracing);
    ProxyOptions options;
    options.listen = {parse_listen("127.0.0.1:0").value()};
    options.upstream = setting.upstream;
    options.grace = std::chrono::seconds(2);
    if (auto played = play_upstream(ReplayArguments(), options); !played) return played.error();
    if (!program.lines.empty()) play_scenario(program, options);
    Proxy proxy(loop, std::move(options), &trace, notices);
    if (auto started = proxy.start(); !started) return started.error();
    const SocketAddress address = proxy.addresses().front();
    std::vector<std::string> command = setting.command;
    for (std::string& word : command) {
      replace_all(word, "{host}", address.host());
      replace_all(word, "{port}", std::to_string(address.port()));
    }
    ClientProcess client(loop, proxy, setting.patience);
    auto started = client.start(command);
    if (!started) proxy.stop_now();
    loop.run();
    trace.finish();
    if (!started) return started.error();
    result.exit_code = client.exit_code();
    result.timed_out = client.timed_out();
  }
  text->end_run();
  text->finish();
  result.timeline = output.take();
  return result;
}

}  // namespace smtpscope
