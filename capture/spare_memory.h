#pragma once

#include <cstddef>

namespace smtpscope {

/// Tracing takes large pieces of memory only while the relay, whose every piece is mail, could
/// still have this much: thousands of sessions. Where memory is limited (ulimit -v, a
/// systemd LimitAS=, strict overcommit) the record then has holes, and mail flows.
inline constexpr std::size_t kRelaysShare = std::size_t{16} * 1024 * 1024;

/// Whether so many more octets could be had. Takes some microseconds. What a container may use
/// cannot be asked for: it is not refused, but killed for.
bool can_have_memory(std::size_t octets);

}  // namespace smtpscope
