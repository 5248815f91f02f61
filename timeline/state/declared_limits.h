#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "parser/capabilities.h"

namespace smtpscope {

// The limits that a server declares in its EHLO reply, and what they are compared with. Rules and
// the notes of a session both need them.

/// The names of RFC 9422 4: MAIL commands in a session; RCPT commands in a transaction; domains of
/// recipients in a session.
inline constexpr std::string_view kLimitMailMax = "MAILMAX";
inline constexpr std::string_view kLimitRcptMax = "RCPTMAX";
inline constexpr std::string_view kLimitRcptDomainMax = "RCPTDOMAINMAX";

/// A limit of the LIMITS keyword. Empty when it is not declared, or not a number as RFC 9422 4
/// wants it: those are to be ignored.
std::optional<std::uint64_t> declared_limit(const Capabilities& capabilities,
                                            std::string_view name);

/// Stands for a mailbox's domain, letter case aside; empty when it has none.
std::optional<std::uint64_t> domain_of(std::string_view mailbox);

/// A decimal number and nothing else; empty too when it is greater than 64 bits hold.
std::optional<std::uint64_t> decimal(std::string_view text);

}  // namespace smtpscope
