#pragma once

#include <string>
#include <string_view>

#include "capture/wire_event.h"

namespace smtpscope {

/// Names a run: a UUIDv7 (RFC 9562 5.7). A run of the proxy has one, which its captures hold. That
/// of other files is computed, not drawn, so that a file read twice is the same run in a database:
/// from the time when it began, and from host, tap and the file's name, for several may have begun
/// in the same nanosecond.
std::string run_id(const RunInfo& run, std::string_view host);

}  // namespace smtpscope
