#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace smtpscope {

/// The two TCP peers of a session, as seen from between them. "Client" is whoever opened the
/// connection and "server" whoever accepted it, also after TURN/ATRN has swapped their SMTP roles.
enum class Side : std::uint8_t { kClient, kServer };

/// The peer that is not `side`.
constexpr Side other(Side side) { return side == Side::kClient ? Side::kServer : Side::kClient; }

/// Index for arrays that hold one value per side.
constexpr std::size_t index(Side side) { return static_cast<std::size_t>(side); }

constexpr std::string_view to_string(Side side) {
  return side == Side::kClient ? "client" : "server";
}

}  // namespace smtpscope
