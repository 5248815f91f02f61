#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// Where a capture that exists can be gone on with.
struct AppendPoint {
  RunInfo run;
  SessionId last_session = 0;    // the highest number in it
  std::uint64_t end = 0;         // behind its last whole line
  std::uint64_t cut_octets = 0;  // behind that
};

/// Reads the capture at `path` from beginning to end.
Result<AppendPoint> find_append_point(const std::string& path);

}  // namespace smtpscope
