#include "capture/wire_event.h"

#include <charconv>
#include <limits>

namespace smtpscope {

std::uint64_t headline_octets(const RunInfo& run) {
  if (!run.redacted.empty() || run.message_kept == "none") return 0;
  std::uint64_t octets = 0;
  const char* const end = run.message_kept.data() + run.message_kept.size();
  const auto read = std::from_chars(run.message_kept.data(), end, octets);
  const bool is_number = read.ec == std::errc() && read.ptr == end && !run.message_kept.empty();
  return is_number ? octets : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace smtpscope
