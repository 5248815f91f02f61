#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "proxy/proxy.h"

namespace smtpscope {

/// What the firewall and the routes of a host have to be for a transparent proxy.
struct TransparentSetup {
  Transparent mode = Transparent::kTproxy;
  std::uint16_t port = 2525;       // where smtpscope listens
  std::uint16_t server_port = 25;  // whose clients come to it
  std::string interface;           // of the clients; "": this host's own programs are the clients
  std::string user = "smtpscope";  // whom smtpscope runs as: not to be sent to itself
};

/// The mark that tproxy's rules put on packets.
inline constexpr std::uint32_t kTransparentMark = 1;

/// A script for a shell that sets it up, with comments, and how to take it away again.
std::string setup_script(const TransparentSetup& setup);

/// The commands that are missing for tproxy, as far as the kernel tells.
std::vector<std::string> missing_for_tproxy();

/// "redirect" or "tproxy".
Result<Transparent> parse_transparent(const std::string& text, const char* option);

}  // namespace smtpscope
