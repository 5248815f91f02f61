#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "capture/wire_event.h"
#include "tests/ends/party.h"

namespace smtpscope::ends {

/// The driver's look whether the relay listens. The sessions behind it have their numbers in the
/// order in which the clients connected.
inline constexpr SessionId kFirstLook = 1;

/// What the capture must say of one session.
struct Expected {
  std::uint16_t port = 0;  // the client's
  std::string text;        // the plan, for complaints
  Digest said[2];          // by index(Side)
  std::vector<std::string> closes;
  bool any_order = false;
  std::uint64_t delivered[2] = {};  // octets up to here must not be marked as undelivered
};

struct RecordReport {
  std::uint64_t sessions = 0;
  std::uint64_t with_hole = 0;  // not compared
  std::vector<std::string> complaints;
};

/// Reads the capture and compares. `expected` in the order in which the clients connected.
Result<RecordReport> compare_record(const std::string& path, const std::vector<Expected>& expected);

}  // namespace smtpscope::ends
