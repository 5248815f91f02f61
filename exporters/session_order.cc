#include "exporters/session_order.h"

#include <utility>

namespace smtpscope {

SessionOrder::SessionOrder(Arrangement arrangement, bool only_wanted, SessionRelease& release,
                           std::size_t max_held)
    : arrangement_(arrangement),
      only_wanted_(only_wanted),
      release_(release),
      max_held_(max_held) {}

void SessionOrder::add(SessionId session, std::string_view text) {
  const auto [at, is_new] = sessions_.try_emplace(session);
  Held& held = at->second;
  if (is_new) held.wanted = !only_wanted_;
  if (held.text.empty() && may_go(at)) {
    put_out(session, held, text);
    return;
  }
  held.text += text;
  held_ += text.size();
  if (held_ > max_held_) relieve();
}

void SessionOrder::want(SessionId session) {
  // Its first text may be still to come.
  const auto at = sessions_.try_emplace(session).first;
  if (at->second.wanted) return;
  at->second.wanted = true;
  if (may_go(at)) let_go(session, at->second);
}

void SessionOrder::end(SessionId session) {
  const auto at = sessions_.find(session);
  if (at == sessions_.end()) return;
  at->second.ended = true;
  if (arrangement_ == Arrangement::kBySession) {
    advance();
  } else {
    forget(at);
  }
}

void SessionOrder::end_all() {
  for (auto at = sessions_.begin(); at != sessions_.end(); at = forget(at)) {
    if (at->second.wanted) let_go(at->first, at->second);
  }
  last_ = kWholeRun;
}

/// Text of the session need not wait.
bool SessionOrder::may_go(Sessions::const_iterator session) const {
  return session->second.wanted &&
         (arrangement_ == Arrangement::kByTime || session == sessions_.cbegin());
}

/// By session: the first sessions that have ended are done with; the one behind them may go.
void SessionOrder::advance() {
  for (auto first = sessions_.begin(); first != sessions_.end(); first = forget(first)) {
    if (first->second.wanted) let_go(first->first, first->second);
    if (!first->second.ended) return;
  }
}

void SessionOrder::let_go(SessionId session, Held& held) {
  held_ -= held.text.size();
  put_out(session, held, std::exchange(held.text, {}));
}

void SessionOrder::put_out(SessionId session, Held& held, std::string_view text) {
  if (text.empty()) return;
  Piece piece = Piece::kFirst;
  if (held.begun) piece = last_ == session ? Piece::kNext : Piece::kResumed;
  held.begun = true;
  last_ = session;
  release_.release(session, text, piece);
}

SessionOrder::Sessions::iterator SessionOrder::forget(Sessions::iterator session) {
  held_ -= session->second.text.size();
  return sessions_.erase(session);
}

/// Too much is held. Whole sessions are the smaller harm to the order; a piece of a session that
/// goes on is the last resort, wanted or not: showing too much is better than losing some.
void SessionOrder::relieve() {
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    if (at->second.ended) {
      if (at->second.wanted) let_go(at->first, at->second);
      at = forget(at);
    } else {
      ++at;
    }
  }
  if (held_ <= max_held_) return;
  for (auto& [session, held] : sessions_) {
    held.wanted = true;
    let_go(session, held);
  }
}

}  // namespace smtpscope
