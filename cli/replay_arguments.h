#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/rendering.h"
#include "exporters/comparison/comparison_text.h"
#include "lab/replay/replay_server.h"
#include "proxy/proxy.h"

namespace CLI {
class App;
}

namespace smtpscope {

/// How a recording is played, as the command line says it.
struct ReplayArguments {
  std::string pace;  // "": none for a recording, that of the file for a script
  std::string extra = "fail";
};

/// Adds --pace to `app`.
void add_pace_option(CLI::App& app, ReplayArguments& arguments);
/// Adds --extra to `app`.
void add_extra_option(CLI::App& app, ReplayArguments& arguments);

/// What --pace says; without it `otherwise`.
Result<ReplayPace> read_pace(const ReplayArguments& arguments, double otherwise);

/// What a recording has, as dialogues, and what it says of itself.
struct LoadedDialogues {
  std::vector<RecordedDialogue> dialogues;
  RunInfo run;
};
/// Reads any file that show reads.
Result<LoadedDialogues> load_dialogues(const std::string& path);

/// Where `proxy.upstream` is replay: or script:, reads the file, and has the proxy play it; gives
/// what is played. nullptr where it is another server.
Result<std::shared_ptr<ReplayPlan>> play_upstream(const ReplayArguments& arguments,
                                                  ProxyOptions& proxy);

/// Two captures, the second of which shall be the first again.
struct ReplayComparison {
  std::string recording, replayed;
  std::set<SessionId> sessions;       // of the recording; empty: all
  std::size_t replayed_sessions = 0;  // so many of the other; 0: all
  std::vector<std::string> ignore;    // expressions, see Normalizers::Options
  bool timing = false;                // the waits were played, too
  bool json = false;
  ComparisonLayout layout;
  Rendering rendering;
};
/// Prints how they differ in what was said and done; findings are not compared, for they rest on
/// addresses, times and reads as well. kExitFine, kExitFound or kExitFailure.
int compare_replay(const ReplayComparison& comparison);

}  // namespace smtpscope
