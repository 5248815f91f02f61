#pragma once

#include <optional>

#include "base/tcp_figures.h"
#include "base/time.h"

namespace smtpscope {

/// Asks the kernel how the TCP connection of a socket does. Empty for a socket that is none.
std::optional<TcpFigures> tcp_figures(int descriptor);

/// The smoothed round trip to the peer, likewise. Empty also while nothing was measured.
std::optional<Duration> tcp_round_trip(int descriptor);

}  // namespace smtpscope
