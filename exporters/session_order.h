#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "capture/wire_event.h"
#include "exporters/exporter.h"

namespace smtpscope {

/// A piece of a session's text, as seen beside the pieces that went out before it.
enum class Piece : std::uint8_t {
  kFirst,    // the session's first
  kNext,     // follows the one before it
  kResumed,  // a piece of another session went out since
};

/// Takes what SessionOrder lets go.
class SessionRelease {
 public:
  virtual ~SessionRelease() = default;
  virtual void release(SessionId session, std::string_view text, Piece piece) = 0;
};

/// Puts the text of sessions that overlap into order, and leaves out sessions that nobody asked
/// for. Text is held while an earlier session goes on, or while it is not decided whether its
/// session is wanted; all sessions together hold at most kMaxHeld octets: what is more goes out
/// at once, sessions that have ended first. Not thread-safe.
class SessionOrder {
 public:
  /// Some 100,000 lines: as much as anybody reads, little beside what the machine has.
  static constexpr std::size_t kMaxHeld = 16 * 1024 * 1024;

  /// `release` must outlive this. `only_wanted`: sessions are left out unless want() is called.
  SessionOrder(Arrangement arrangement, bool only_wanted, SessionRelease& release,
               std::size_t max_held = kMaxHeld);

  /// Text of a session; the first makes it known. Sessions are ordered by their numbers.
  void add(SessionId session, std::string_view text);
  /// The session is to be shown.
  void want(SessionId session);
  /// No more text of this session will come.
  void end(SessionId session);
  /// No more text of any session will come: all that is wanted goes out.
  void end_all();

 private:
  struct Held {
    std::string text;
    bool wanted = false;
    bool ended = false;
    bool begun = false;  // a piece of it went out
  };
  using Sessions = std::map<SessionId, Held>;

  bool may_go(Sessions::const_iterator session) const;
  void advance();
  void let_go(SessionId session, Held& held);
  void put_out(SessionId session, Held& held, std::string_view text);
  Sessions::iterator forget(Sessions::iterator session);
  void relieve();

  const Arrangement arrangement_;
  const bool only_wanted_;
  SessionRelease& release_;
  const std::size_t max_held_;
  Sessions sessions_;
  std::size_t held_ = 0;        // octets, of all sessions
  SessionId last_ = kWholeRun;  // whose piece went out last
};

}  // namespace smtpscope
