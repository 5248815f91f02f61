#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "timeline/event.h"

namespace smtpscope {

/// The least time that RFC 5321 asks a waiting party to be patient for. A plain value.
struct RfcTimeout {
  std::string_view owed;  // as Silence::owed
  Duration least;
  std::string_view section;  // of RFC 5321
  /// RFC 5321 names no time for this one; the nearest that it does name is taken as the yardstick,
  /// and whoever quotes it must say so.
  bool yardstick = false;
};

/// RFC 5321 4.5.3.2. What a server is owed has one time only, the five minutes of 4.5.3.2.7 for
/// the next command; the three minutes for a block of data are meant per block, not per message.
inline constexpr std::array<RfcTimeout, 8> kRfcTimeouts = {{
    {kOwedGreeting, std::chrono::seconds(300), "4.5.3.2.1"},
    {kOwedMailReply, std::chrono::seconds(300), "4.5.3.2.2"},
    {kOwedRcptReply, std::chrono::seconds(300), "4.5.3.2.3"},
    {kOwedDataReply, std::chrono::seconds(120), "4.5.3.2.4"},
    {kOwedMailData, std::chrono::seconds(180), "4.5.3.2.5"},
    {kOwedEndOfData, std::chrono::seconds(600), "4.5.3.2.6"},
    {kOwedCommand, std::chrono::seconds(300), "4.5.3.2.7"},
    // RFC 3030 names no times: a chunk is sent like a block of data.
    {kOwedChunk, std::chrono::seconds(180), "4.5.3.2.5", true},
}};

/// What applies while `owed` (as of a Silence) is waited for; nothing where RFC 5321 gives no
/// number: EHLO, RSET, QUIT, STARTTLS, AUTH and the like, and the reply to a chunk before the last.
constexpr std::optional<RfcTimeout> rfc_timeout(std::string_view owed) {
  for (const RfcTimeout& timeout : kRfcTimeouts) {
    if (timeout.owed == owed) return timeout;
  }
  return std::nullopt;
}

}  // namespace smtpscope
