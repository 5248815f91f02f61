#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "base/time.h"
#include "capture/wire_event.h"
#include "net/loop.h"
#include "net/own_listeners.h"
#include "net/timer.h"
#include "net/wakeup.h"
#include "proxy/relay_observer.h"

namespace smtpscope {

class Listener;

/// What the limit of open files leaves a client: a session, or a word why it cannot have one.
enum class Room : std::uint8_t { kInside, kAtTheDoor };

/// Has a client that waits until there is room for its session.
class RoomSeeker {
 public:
  virtual ~RoomSeeker() = default;
  /// There is room for the client that waits at `listener`.
  virtual void on_room(Listener& listener) = 0;
};

/// What the proxies of one process share, a Proxy for each route: the loop, the observer and the
/// timers that drive it, the numbers of sessions, where all of them listen, and how many clients
/// the limit of open files leaves room for. Must outlive them. Not thread-safe.
class ProxyProcess {
 public:
  struct Options {
    /// Sessions are numbered behind this one: an earlier run, whose record is gone on with, had
    /// them.
    SessionId last_session = kWholeRun;
    /// How often the observer is told the time.
    Duration tick = std::chrono::seconds(1);
  };

  /// `observer` may be nullptr. Both must outlive this.
  ProxyProcess(Loop& loop, RelayObserver* observer);
  ProxyProcess(Loop& loop, RelayObserver* observer, Options options);
  ~ProxyProcess();
  ProxyProcess(const ProxyProcess&) = delete;
  ProxyProcess& operator=(const ProxyProcess&) = delete;

  Loop& loop() { return loop_; }
  RelayObserver* observer() { return observer_; }
  OwnListeners& own() { return own_; }
  SessionId next_session() { return ++last_session_; }

  /// A proxy has opened its listeners, and clients may come. `per_session`: descriptors that a
  /// session of its takes.
  void begin(std::size_t per_session);
  /// No session of a proxy that had begun will come any more. With the last one the observer is
  /// left alone.
  void end();

  /// Something has happened that the observer was told of.
  void on_activity();

  /// Sessions that there is room for, whichever proxy's they are.
  std::size_t most_inside() const { return most_[index(Room::kInside)]; }
  /// Where the next client has room; nothing: it waits in the kernel.
  std::optional<Room> room() const;
  /// A client has come in.
  void enter(Room room) { ++taken_[index(room)]; }
  /// One has gone; those that waited may come in within this call.
  void leave(Room room);
  /// The client that waits at `listener` comes in when there is room.
  void wait_for_room(RoomSeeker& seeker, Listener& listener) {
    waiting_.push_back({&seeker, &listener});
  }
  /// Its clients wait no longer.
  void forget(const RoomSeeker& seeker);
  /// That there is no room inside is to be told: it was not yet, or much had become free since.
  bool is_news_of_full() { return !std::exchange(said_full_, true); }

  /// A session is open, or over: while there are any, the observer is told the time.
  void session_opened();
  void session_over();

 private:
  static constexpr std::size_t index(Room room) { return static_cast<std::size_t>(room); }

  struct Waiting {
    RoomSeeker* seeker;
    Listener* listener;
  };

  void on_flush();
  void on_tick() { observer_->tick(loop_.now()); }
  void on_wake() { observer_->attend(); }

  Loop& loop_;
  RelayObserver* const observer_;
  const Options options_;
  OwnListeners own_;
  SessionId last_session_;
  std::size_t proxies_ = 0;
  std::size_t sessions_ = 0;
  std::array<std::size_t, 2> taken_{};  // by Room
  std::array<std::size_t, 2> most_{};
  std::size_t per_session_ = 0;
  std::deque<Waiting> waiting_;  // the longest first
  bool said_full_ = false;
  TimerPtr flush_;
  TimerPtr tick_;
  bool flush_pending_ = false;
  WakeupPtr wake_;  // of the observer
};

}  // namespace smtpscope
