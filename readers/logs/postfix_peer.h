#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "capture/fidelity.h"

namespace smtpscope {

/// How Postfix names the other side: "mail.example.com[192.0.2.10]:50114", the port where it is
/// logged. Views into a line.
struct PostfixPeer {
  std::string_view address, port;
  std::string_view behind;  // the text that follows
};

/// False when `text` names none.
bool take_postfix_peer(std::string_view text, PostfixPeer& peer);

/// As addresses are written in captures; the port is not always known.
std::string postfix_address(const PostfixPeer& peer);

/// What neither smtpd nor smtp logs.
inline constexpr std::uint16_t kPostfixHides =
    kUnknownOctets | kUnknownReads | kUnknownContent | kUnknownCloses;

}  // namespace smtpscope
