#pragma once

#include <cstddef>
#include <string>

#include "capture/wire_event.h"

namespace smtpscope {

/// The major version of the capture format. It rises only when older readers would misunderstand.
inline constexpr int kCaptureVersion = 1;

/// The first line of a capture, with its line end.
std::string format_header(const RunInfo& run);

/// At most so many octets are needed by format_event().
std::size_t most_event_line(const WireEvent& event);

/// Writes the event as one line of a capture, with its line end, to `out`, which has room for
/// most_event_line(). Gives the end of the line; what lies behind it in that room may have been
/// overwritten. Allocates nothing.
char* format_event(char* out, const WireEvent& event);

}  // namespace smtpscope
