#include "cli/run_loading.h"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <utility>

#include "capture/capture_reader.h"
#include "cli/replay.h"
#include "cli/subcommand.h"
#include "diff/run_recorder.h"

namespace smtpscope {
namespace {

/// Each event goes to the recorder, for the messages' octets, and then on to the timeline's maker.
class ToBoth : public WireSink {
 public:
  ToBoth(RunRecorder& recorder, Replay& replay) : recorder_(recorder), replay_(replay) {}
  void on_wire(const WireEvent& event) override {
    recorder_.on_wire(event);
    replay_.on_wire(event);
  }

 private:
  RunRecorder& recorder_;
  Replay& replay_;
};

}  // namespace

Result<LoadedRun> load_run(const std::string& path, const RuleSet& rules) {
  Result<std::unique_ptr<CaptureReader>> opened = CaptureReader::open(path);
  if (!opened) return opened.error();
  CaptureReader& reader = *opened.value();
  RunRecorder recorder(path, reader.run());
  Replay replay(std::set<SessionId>{}, rules, recorder);
  ToBoth both(recorder, replay);
  while (true) {
    const Result<bool> more = reader.next(both);
    if (!more) return more.error();
    if (!more.value()) break;
  }
  LoadedRun loaded{recorder.take(), false};
  for (const CaptureNotice& notice : reader.notices()) {
    fail(fmt::format("{}: {}", path, notice.text));
    loaded.damaged = loaded.damaged || notice.kind == CaptureNotice::Kind::kCorrupt;
  }
  return loaded;
}

}  // namespace smtpscope
