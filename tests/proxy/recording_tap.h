#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/tap.h"

namespace smtpscope {

/// Keeps what it is told of all sessions, in words, and the octets apart.
class RecordingTap : public Tap {
 public:
  struct Seen {
    std::vector<std::string> events;  // without octets: "opened", "closed client fin" …
    std::string octets[2];            // by index(Side)
    std::string undelivered[2];       // those of them
    std::string by_proxy;
    std::string client, listener, upstream, server, failure;
    std::uint32_t failed_attempts = 0;
    std::uint64_t reads = 0;
    Time last;
    bool in_order = true;
    bool ended = false;

    bool has(std::string_view event) const;
  };

  std::unique_ptr<SessionTap> open(SessionId session) override;
  void flush() override { ++flushes; }

  std::map<SessionId, Seen> sessions;
  bool fate_open = false;
  int flushes = 0;
  int taps_alive = 0;
};

}  // namespace smtpscope
