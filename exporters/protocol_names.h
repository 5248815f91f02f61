#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parser/item.h"
#include "timeline/event.h"

namespace smtpscope {

/// "CRLF", "LF", "CRCRLF", "none".
std::string_view to_string(LineEnding ending);

/// "begins", "inside", "ends-well", "ends-badly", "outside".
std::string_view to_string(TxnMark mark);

/// What a reply answers: "greeting", "command", "auth-response", "end-of-data", "blob", "nothing",
/// "unsolicited".
std::string_view to_string(Answers answers);

/// "strict", "candidate", "cut", "gap".
std::string_view to_string(DataEnd end);

/// Names of the IANA registry "TLS Parameters"; the number in words for what is not in our list.
std::string tls_record_name(std::uint8_t type);
std::string tls_handshake_name(std::uint8_t type);
std::string tls_alert_name(std::uint8_t description);

}  // namespace smtpscope
