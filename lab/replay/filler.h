#pragma once

#include <cstdint>
#include <string>

#include "parser/message_scanner.h"

namespace smtpscope {

/// Octets in the place of `octets` of a message that were left out of a recording: as many, with as
/// many line ends, and so that whoever reads them stands behind them as `after` does. They say that
/// they are filler; no line of them is a dot.
std::string make_filler(std::uint64_t octets, const MessageScanner& before,
                        const MessageScanner& after);

}  // namespace smtpscope
