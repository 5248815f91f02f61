#include "cli/replay.h"

#include <utility>
#include <variant>

#include "capture/screen.h"
#include "timeline/tracker.h"

namespace smtpscope {

/// One session on its way from octets to its timeline.
class Replay::Session {
 public:
  Session(SessionId id, bool mid_session, Replay& run)
      : tracker_(id, run.rules_, run.history_, run.sink_),
        screen_({}, run.record_, &tracker_, mid_session) {}

  void feed(const WireEvent& event) { screen_.feed(event); }

 private:
  Tracker tracker_;
  Screen screen_;
};

Replay::Replay(std::set<SessionId> wanted, const RuleSet& rules, TimelineSink& sink,
               WireSink* record)
    : wanted_(std::move(wanted)), missing_(wanted_), rules_(rules), sink_(sink), record_(record) {}

Replay::~Replay() = default;

void Replay::on_wire(const WireEvent& event) {
  if (event.session != kWholeRun) {
    if (wanted_.empty() || wanted_.contains(event.session)) feed(event);
    return;
  }
  const auto* gap = std::get_if<Gap>(&event.body);
  if (gap == nullptr) return;
  sink_.on_timeline({kWholeRun, event.time, TimelineGap{*gap}});
  // What was lost may belong to any session that is open.
  for (const auto& [id, session] : open_) session->feed({id, event.time, *gap});
}

void Replay::feed(const WireEvent& event) {
  std::unique_ptr<Session>& session = open_[event.session];
  if (!session) {
    missing_.erase(event.session);
    // Without its beginning (a hole in the capture) a session is read like one that was joined
    // later.
    const auto* opened = std::get_if<SessionOpened>(&event.body);
    const bool mid_session = opened == nullptr || opened->mid_session;
    session = std::make_unique<Session>(event.session, mid_session, *this);
  }
  session->feed(event);
  if (std::holds_alternative<SessionEnded>(event.body)) open_.erase(event.session);
}

}  // namespace smtpscope
