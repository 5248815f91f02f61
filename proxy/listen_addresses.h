#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/own_listeners.h"

namespace smtpscope {

/// The addresses behind a name, or why there are none (as gai_strerror() has it).
Result<std::vector<SocketAddress>> look_up(const std::string& host, std::uint16_t port);

/// All addresses a host to listen on stands for. A port alone is the loopback, both families: a
/// client told "localhost" may try either first.
Result<std::vector<SocketAddress>> listen_addresses(const Endpoint& endpoint);

/// A session with a listener of one's own would be a client's, and make another, until no
/// descriptor is left. The Error says so of `server`, whose name is looked up only where the port
/// makes it possible; one that has no address is no loop: sessions will tell.
Result<Done> check_no_loop(const Endpoint& server, const OwnListeners& own);

}  // namespace smtpscope
