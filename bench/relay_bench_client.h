#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace smtpscope::bench {

/// What the client end does.
struct Workload {
  const char* name;
  const char* what;
  std::size_t sessions;        // in parallel
  std::size_t message_octets;  // 0: no messages, NOOP ping-pong
  bool keep;                   // many messages per session
  bool one_cpu = false;        // client, relay and sink share one: no wake-ups across CPUs
  bool idle = false;           // nothing behind HELO until the time is over
};

std::span<const Workload> all_workloads();

struct ClientResult {
  std::uint64_t messages = 0;  // or round trips, or idle sessions
  std::uint64_t octets = 0;    // of messages
  double seconds = 0;
  double cpu_seconds = 0;
  double p50_us = 0;  // of a round trip, NOOP only
  double p99_us = 0;  // same: one of a hundred takes longer
  bool failed = false;
};

/// Runs the workload against 127.0.0.1:`port` for about `seconds`, then lets what is under way
/// come to its end.
ClientResult run_client(const Workload& workload, int port, double seconds);

}  // namespace smtpscope::bench
