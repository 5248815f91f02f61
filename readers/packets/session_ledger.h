#pragma once

#include <cstdint>
#include <set>
#include <unordered_set>
#include <utility>
#include <vector>

#include "capture/wire_event.h"
#include "readers/packets/ip_packet.h"

namespace smtpscope {

/// One end of a connection.
struct ConnectionEnd {
  IpAddress address;
  std::uint16_t port = 0;

  // clang-tidy 14 takes what it is made of for a null pointer.
  auto operator<=>(const ConnectionEnd&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// What the connections of a capture share: session numbers, which servers speak SMTP, and counts
/// of what is not shown. One per source; not thread-safe.
class SessionLedger {
 public:
  /// Servers that are remembered. A network has fewer mail servers.
  static constexpr std::size_t kMaxServers = 4096;
  /// Sessions that a notice names.
  static constexpr std::size_t kNamedSessions = 8;

  /// `ports`: the user wants what is said there, whatever it is, and nothing else. May be empty.
  explicit SessionLedger(std::vector<std::uint16_t> ports) : ports_(ports.begin(), ports.end()) {}

  SessionId next_session() { return ++sessions_; }

  /// What is said to this end is to be shown without being judged.
  bool is_mail_server(const ConnectionEnd& end) const;
  /// It has spoken SMTP. False if that was known, or is one more than can be remembered.
  bool learn_server(const ConnectionEnd& end) {
    return servers_.size() < kMaxServers && servers_.insert(end).second;
  }
  /// Only ports that the user named are shown.
  bool ports_are_named() const { return !ports_.empty(); }

  /// Sessions of which something is to be told at the end.
  struct Mentions {
    std::uint64_t count = 0;
    std::vector<SessionId> first;

    void add(SessionId session) {
      ++count;
      if (first.size() < kNamedSessions) first.push_back(session);
    }
  };
  Mentions contradictions;   // sessions with octets that were sent twice, differently
  Mentions one_sided;        // sessions of which one side was not captured
  std::uint64_t others = 0;  // connections that speak something else
  std::uint64_t tls = 0;     // of them with TLS from the first octet

  /// Where events go; set by the owner while it hands packets on.
  WireSink* sink = nullptr;

 private:
  std::set<std::uint16_t> ports_;
  std::set<ConnectionEnd> servers_;
  SessionId sessions_ = 0;
};

}  // namespace smtpscope
