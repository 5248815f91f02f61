#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/relay_observer.h"

namespace smtpscope {

/// Keeps what it is told of all sessions, in words, and the octets apart.
class RecordingObserver : public RelayObserver {
 public:
  struct Seen {
    std::vector<std::string> events;  // without octets: "opened", "closed client fin" …
    std::string octets[2];            // by index(Side)
    std::string undelivered[2];       // those of them
    std::string by_proxy;
    std::string client, listener, upstream, route, server, failure;
    std::uint32_t failed_attempts = 0;
    std::uint64_t reads = 0;
    Time last;
    bool in_order = true;
    bool ended = false;

    bool has(std::string_view event) const;
  };

  std::unique_ptr<SessionObserver> open(SessionId session) override;
  void flush() override { ++flushes; }
  void set_wake(std::function<void()> wake) override { wake_ = std::move(wake); }
  void attend() override;

  /// No message's fate is open any more: who asked is told so.
  void settle();

  std::map<SessionId, Seen> sessions;
  bool fate_open = false;  // what is asked for is not answered until settle()
  std::map<SessionId, FateListener*> asked;
  int flushes = 0;
  int observers_alive = 0;

 private:
  std::function<void()> wake_;
};

namespace test {
/// Places in Seen::octets and Seen::undelivered.
inline constexpr std::size_t kClient = index(Side::kClient);
inline constexpr std::size_t kServer = index(Side::kServer);
}  // namespace test

}  // namespace smtpscope
