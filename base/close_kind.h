#pragma once

#include <cstdint>
#include <string_view>

namespace smtpscope {

/// How a peer left: it closed its direction in order (kFin), or the connection to it is gone.
enum class CloseKind : std::uint8_t { kFin, kReset, kTimeout, kError };

constexpr std::string_view to_string(CloseKind kind) {
  switch (kind) {
    case CloseKind::kFin:
      return "fin";
    case CloseKind::kReset:
      return "reset";
    case CloseKind::kTimeout:
      return "timeout";
    case CloseKind::kError:
      return "error";
  }
  return "error";
}

}  // namespace smtpscope
