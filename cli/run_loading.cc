#include "cli/run_loading.h"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <utility>

#include "capture/wire_source.h"
#include "cli/subcommand.h"
#include "readers/reader_list.h"
#include "trace/replay.h"
#include "trace/run_recorder.h"

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
  Result<std::unique_ptr<WireSource>> opened = open_source(path, {});
  if (!opened) return opened.error();
  WireSource& source = *opened.value();
  RunRecorder recorder(path, source.run());
  Replay replay(std::set<SessionId>{}, rules, recorder);
  ToBoth both(recorder, replay);
  while (true) {
    const Result<bool> more = source.next(both);
    if (!more) return more.error();
    if (!more.value()) break;
  }
  source.finish(both);
  replay.finish();
  LoadedRun loaded{recorder.take(), false};
  loaded.run.info = source.run();  // some formats tell their beginning with the first event only
  for (const std::string& failure : replay.failures()) {
    fail(fmt::format("{}: {}; it is compared up to there", path, failure));
    loaded.damaged = true;
  }
  for (const SourceNotice& notice : source.notices()) {
    fail(fmt::format("{}: {}", path, notice.text));
    loaded.damaged = loaded.damaged || notice.kind == SourceNotice::Kind::kCorrupt;
  }
  return loaded;
}

}  // namespace smtpscope
