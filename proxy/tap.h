#pragma once

#include <memory>

#include "capture/wire_event.h"

namespace smtpscope {

/// Listens to one session of the relay. Called on the loop's thread, after the octets have been
/// handed to the other side; must not block. Destroyed after SessionEnded.
class SessionTap {
 public:
  virtual ~SessionTap() = default;
  /// Raw events in order of time, as they happened.
  virtual void feed(const WireEvent& event) = 0;
  /// A whole message was sent and its final reply has not come: the relay then keeps listening to
  /// the server after the client has gone.
  virtual bool fate_open() const = 0;
};

/// Listens to a whole run of the proxy. What it returns may be nullptr: nobody listens.
class Tap {
 public:
  virtual ~Tap() = default;
  virtual std::unique_ptr<SessionTap> open(SessionId session) = 0;
  /// Called on the loop's thread some 100 ms after the first event since the last call, so that
  /// events can be gathered and handed on in one go. Must not block.
  virtual void flush() {}
};

}  // namespace smtpscope
