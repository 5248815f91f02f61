#include "tests/diff/recorded.h"

#include <map>
#include <memory>
#include <utility>

#include "capture/sanitizer.h"
#include "tests/catch.h"
#include "tests/timeline/transcript.h"
#include "timeline/state/run_history.h"
#include "timeline/tracker.h"
#include "trace/run_recorder.h"

namespace smtpscope::test {

RunRecord recorded(std::string_view text, std::string name) {
  Transcript transcript = parse_transcript(std::move(name), std::string(text));
  INFO(transcript.error);
  REQUIRE(transcript.error.empty());
  transcript.settle_views();

  struct Session {
    Session(SessionId id, const Transcript& from, RunHistory& history, RunRecorder& recorder)
        : tracker(id, from.rules, history, recorder),
          sanitizer({.keep_credentials = true}, nullptr, &tracker, from.mid_session) {}
    Tracker tracker;
    Sanitizer sanitizer;
  };
  RunRecorder recorder(transcript.name, {});
  RunHistory history;
  std::map<SessionId, std::unique_ptr<Session>> sessions;
  for (const OwnedEvent& each : transcript.events) {
    recorder.on_wire(each.event);
    std::unique_ptr<Session>& session = sessions[each.event.session];
    if (!session) {
      session = std::make_unique<Session>(each.event.session, transcript, history, recorder);
    }
    session->sanitizer.feed(each.event);
  }
  return recorder.take();
}

}  // namespace smtpscope::test
