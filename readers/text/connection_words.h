#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smtpscope {

// What programs of all kinds say about their connections.

/// The server that the line says is connected to: "Trying 192.0.2.25...", "Connected to mx.",
/// "Connecting to smtp://mx:587". Empty when it says no such thing.
std::optional<std::string> server_in(std::string_view line);

/// The server that an error is about: the above, or an address with its port anywhere in it, or
/// what stands where errors name a host: "connect ECONNREFUSED 192.0.2.25:587", "lookup
/// mx.example.net: no such host".
std::optional<std::string> failed_server_in(std::string_view line);

/// The line says that the other side closed: "Connection closed by foreign host."
bool closed_by_server(std::string_view line);

/// The line tells of a TLS handshake that failed.
bool handshake_failed(std::string_view line);

}  // namespace smtpscope
