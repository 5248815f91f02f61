#include "cli/replay_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/system_error.h"
#include "cli/file_output.h"
#include "cli/run_loading.h"
#include "cli/subcommand.h"
#include "diff/runs/normalizer.h"
#include "diff/runs/run_comparison.h"
#include "exporters/comparison/comparison_json.h"
#include "lab/replay/script.h"
#include "readers/reader_list.h"

namespace smtpscope {
namespace {

/// A factor beyond this is a slip of the pen: a recorded second would last a day.
constexpr double kSlowestPace = 86400;

Result<std::string> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{fmt::format("cannot read {}: {}", path, system_words(errno))};
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (file.bad()) return Error{fmt::format("cannot read {}", path)};
  return text;
}

/// The dialogues, if the server's side of each can be played.
Result<std::vector<RecordedDialogue>> servers_of(const std::string& path) {
  auto loaded = load_dialogues(path);
  if (!loaded) return loaded.error();
  for (const RecordedDialogue& dialogue : loaded.value().dialogues) {
    for (const std::string& why : {dialogue.unfit, dialogue.unfit_server}) {
      if (why.empty()) continue;
      return Error{fmt::format("{}: session {} cannot be played: {}", path, dialogue.session, why)};
    }
  }
  return std::move(loaded.value().dialogues);
}

}  // namespace

void add_pace_option(CLI::App& app, ReplayArguments& arguments) {
  app.add_option("--pace", arguments.pace,
                 "How a recording's waits are played: none, original, or so many times as long")
      ->type_name("none|original|FACTOR")
      ->default_str("none; of a script, original");
}

void add_extra_option(CLI::App& app, ReplayArguments& arguments) {
  app.add_option("--extra", arguments.extra,
                 "With --upstream replay: or script:, what a client gets that says something which "
                 "is not in the file: fail closes the connection, 500 and 421 are replies")
      ->type_name("fail|500|421")
      ->check(CLI::IsMember({"fail", "500", "421"}))
      ->capture_default_str();
}

Result<ReplayPace> read_pace(const ReplayArguments& arguments, double otherwise) {
  const std::string& text = arguments.pace;
  if (text.empty()) return ReplayPace{otherwise};
  if (text == "none") return ReplayPace{0};
  if (text == "original") return ReplayPace{1};
  double factor = 0;
  const auto [rest, fault] =
      std::from_chars(text.data(), text.data() + text.size(), factor, std::chars_format::fixed);
  if (fault != std::errc{} || rest != text.data() + text.size() || !std::isfinite(factor) ||
      factor < 0 || factor > kSlowestPace) {
    return Error{fmt::format(
        "--pace: got '{}', expected none, original, or how many times as long, such as 0.5", text)};
  }
  return ReplayPace{factor};
}

Result<LoadedDialogues> load_dialogues(const std::string& path) {
  Result<std::unique_ptr<WireSource>> opened = open_source(path, {});
  if (!opened) return opened.error();
  WireSource& source = *opened.value();
  DialogueRecorder recorder;
  while (true) {
    const Result<bool> more = source.next(recorder);
    if (!more) return more.error();
    if (!more.value()) break;
  }
  source.finish(recorder);
  LoadedDialogues loaded;
  loaded.dialogues = recorder.take();
  loaded.run = source.run();
  if (loaded.dialogues.empty()) return Error{fmt::format("{}: there is no session in it", path)};
  return loaded;
}

Result<std::shared_ptr<ReplayPlan>> play_upstream(const ReplayArguments& arguments,
                                                  ProxyOptions& proxy) {
  const bool script = proxy.upstream.kind == Endpoint::Kind::kScript;
  if (!script && proxy.upstream.kind != Endpoint::Kind::kReplay) return {nullptr};
  const std::string& path = proxy.upstream.path;
  auto plan = std::make_shared<ReplayPlan>();
  auto pace = read_pace(arguments, script ? 1 : 0);
  if (!pace) return pace.error();
  plan->pace = pace.value();
  plan->extra = arguments.extra == "500"   ? ExtraAnswer::k500
                : arguments.extra == "421" ? ExtraAnswer::k421
                                           : ExtraAnswer::kFail;
  if (script) {
    auto text = read_whole(path);
    if (!text) return text.error();
    auto dialogues = read_script(text.value(), path);
    if (!dialogues) return dialogues.error();
    plan->dialogues = std::move(dialogues.value());
    plan->last_goes_on = true;
  } else {
    auto dialogues = servers_of(path);
    if (!dialogues) return dialogues.error();
    plan->dialogues = std::move(dialogues.value());
  }
  proxy.local_server = [plan](Loop& loop) { return ReplayServer::make(loop, plan); };
  return plan;
}

int compare_replay(const ReplayComparison& comparison) {
  RuleSet rules;
  if (auto done = rules.switch_off("all"); !done) return fail(done.error().message);
  auto before = load_run(comparison.recording, rules);
  if (!before) return fail(before.error().message);
  auto after = load_run(comparison.replayed, rules);
  if (!after) return fail(after.error().message);
  if (!comparison.sessions.empty()) {
    std::erase_if(before.value().run.sessions, [&](const SessionRecord& session) {
      return !comparison.sessions.contains(session.id);
    });
  }
  std::vector<SessionRecord>& replayed = after.value().run.sessions;
  if (comparison.replayed_sessions > 0 && replayed.size() > comparison.replayed_sessions) {
    replayed.resize(comparison.replayed_sessions);  // of the last there is a beginning only
  }
  Normalizers::Options setting_aside;
  setting_aside.ignore = comparison.ignore;
  auto normalizers = Normalizers::make(setting_aside);
  if (!normalizers) return fail(normalizers.error().message);
  ComparisonOptions options;
  options.timing = comparison.timing;
  const RunComparison compared =
      compare_runs(before.value().run, after.value().run, normalizers.value(), options);
  FileOutput output;
  if (comparison.json) {
    output.write(comparison_document({json_of(compared, nullptr)}, "", rules));
  } else {
    write_comparison_text(compared, comparison.layout,
                          exporter_options(comparison.rendering, rules, output.descriptor()),
                          output);
  }
  output.flush();
  if (const std::optional<Error> fault = output.fault()) return fail(fault->message);
  if (before.value().damaged || after.value().damaged) return kExitFailure;
  return compared.same() ? kExitFine : kExitFound;
}

}  // namespace smtpscope
