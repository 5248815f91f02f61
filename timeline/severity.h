#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace smtpscope {

/// info: worth a line, no action; notice: unusual, look if something is wrong; warning: probably
/// a fault or a risk; error: loss, duplication, violation with effect, or exposure.
enum class Severity : std::uint8_t { kInfo, kNotice, kWarning, kError };

/// Who is at fault. "Client" and "server" mean whatever speaks on that side of the tracer.
enum class Fault : std::uint8_t { kClient, kServer, kNetwork, kProxy, kUnknown };

/// A party of a session that can keep others waiting.
enum class Party : std::uint8_t { kClient, kServer, kProxy, kUnknown };

std::string_view to_string(Severity severity);
std::string_view to_string(Fault fault);
/// Where to look: "the client side"; for kUnknown `unknown`.
std::string_view in_words(Fault fault, std::string_view unknown);
std::string_view to_string(Party party);
std::optional<Severity> severity_of(std::string_view name);

}  // namespace smtpscope
