#pragma once

#include <string>

#include "capture/wire_event.h"

namespace smtpscope {

/// How the connection with a side did: "the server's host does not confirm 35 octets, which were
/// sent again 4 times; nothing was heard of it for 5.2 s".
std::string tcp_words(const TcpReport& report);

}  // namespace smtpscope
