#pragma once

#include "capture/wire_event.h"

namespace smtpscope {

/// Keeps the events of a run, in one file or in several. Never blocks. Used by one thread at a
/// time.
class CaptureSink : public WireSink {
 public:
  /// Something waits to be handed to the disk: flush() soon.
  virtual bool pending() const = 0;
  virtual void flush() = 0;

  // Where a run is kept in several files, a session is to be cut where it can be read in two: at
  // rest, between its transactions, with no reply owed.

  /// A new file has begun since this was last asked: all sessions at rest are to be named.
  virtual bool turned() { return false; }
  /// The session is still written to the file before, and is to be named once it is at rest.
  virtual bool awaits_rest(SessionId /*session*/) const { return false; }
  /// The session is at rest, and all of its events up to here were handed over.
  virtual void at_rest(SessionId /*session*/) {}
};

}  // namespace smtpscope
