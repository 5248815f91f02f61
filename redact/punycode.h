#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smtpscope {

/// A label of a domain name in UTF-8 as an A-label, "xn--…" (RFC 3492, RFC 5890 2.3.2.1). Empty
/// when it is no UTF-8. A label of ASCII only stays as it is. Nothing is folded or normalised.
std::optional<std::string> to_a_label(std::string_view label);

/// The label in UTF-8 that an A-label stands for; empty when it is none.
std::optional<std::string> from_a_label(std::string_view label);

}  // namespace smtpscope
