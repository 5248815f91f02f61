#pragma once

#include <cstdint>

namespace smtpscope {

/// Octets [begin, end) of one side's stream.
struct StreamRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

}  // namespace smtpscope
