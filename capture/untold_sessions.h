#pragma once

#include <unordered_set>
#include <utility>
#include <vector>

#include "capture/wire_event.h"

namespace smtpscope {

/// Which open sessions have something to learn from a gap of the whole run: those in which anything
/// has happened since the last one. To the others it is the same hole, only larger. So that a
/// record with many damaged lines and many open sessions does not tell all of them of each. Holds
/// the sessions that are open, no more. Not thread-safe.
class UntoldSessions {
 public:
  /// Something happened in a session.
  void heard(SessionId session) {
    if (session == last_) return;
    last_ = session;
    of_events_.insert(session);
    of_octets_.insert(session);
  }
  void ended(SessionId session) {
    if (session == last_) last_ = kWholeRun;
    of_events_.erase(session);
    of_octets_.erase(session);
  }
  /// Those that the gap is to be told, in no order. They count as told.
  std::vector<SessionId> take(const Gap& gap) {
    last_ = kWholeRun;
    // Where octets may be missing, the Conversation starts anew; lost events alone change nothing
    // for it, so that a session which knows of such a gap has yet to learn of a worse one.
    const bool only_events = !gap.from && !gap.of_unknown_octets();
    const auto told = std::exchange(only_events ? of_events_ : of_octets_, {});
    if (!only_events) of_events_.clear();
    return {told.begin(), told.end()};
  }

 private:
  SessionId last_ = kWholeRun;  // who has been put in last, so that most events cost nothing
  std::unordered_set<SessionId> of_events_;
  std::unordered_set<SessionId> of_octets_;
};

}  // namespace smtpscope
