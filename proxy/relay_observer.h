#pragma once

#include <functional>
#include <memory>

#include "base/read_buffer.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// Has asked an observer whether a session may end.
class FateListener {
 public:
  virtual ~FateListener() = default;
  /// No message of the session waits for its final reply any more, or nobody can know. Called on
  /// the loop's thread, from RelayObserver::attend().
  virtual void on_fate_settled() = 0;
};

/// Listens to one session of the relay. Called on the loop's thread, after the octets have been
/// handed to the other side; must neither block nor throw. Destroyed after SessionEnded.
class SessionObserver {
 public:
  virtual ~SessionObserver() = default;
  /// Raw events in order of time, as they happened.
  virtual void feed(const WireEvent& event) = 0;
  /// The client has gone. A message that was sent whole may yet be accepted, so the relay listens
  /// to the server until `asker` is told that no such message is left: later, never within this
  /// call, and once. At most one question per session; dropped with the observer.
  virtual void ask_fate(FateListener& asker) = 0;
};

/// Listens to a whole run of the proxy, and may do its work on a thread of its own. What open()
/// returns may be nullptr: nobody listens.
class RelayObserver {
 public:
  virtual ~RelayObserver() = default;
  virtual std::unique_ptr<SessionObserver> open(SessionId session) = 0;
  /// Called on the loop's thread some 100 ms after the first event since the last call, so that
  /// events can be gathered and handed on in one go. Must not block.
  virtual void flush() {}
  /// Called on the loop's thread about once a second while sessions are open, with the time of the
  /// run: nothing may have happened since. Must not block.
  virtual void tick(Time /*now*/) {}
  /// `wake` has attend() called soon; the observer may call it on any thread. Set before the first
  /// session; when it is replaced by an empty one, no call to the old one may be under way
  /// afterwards.
  virtual void set_wake(std::function<void()> wake) = 0;
  /// Octets of a read that are shown to the observer may lie in `buffer`, which it may then take.
  /// Set before the first session, and valid as long as there are sessions.
  virtual void set_read_buffer(ReadBuffer& /*buffer*/) {}
  /// Called on the loop's thread after a wake-up: gives the answers that are due. Sessions may end
  /// within it.
  virtual void attend() = 0;
};

}  // namespace smtpscope
