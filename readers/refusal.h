#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace smtpscope {

/// Why the file `name`, which begins with `first`, cannot be read: what it looks like, the line
/// that shows it, and what to do to get one that can be.
std::string why_unread(const std::string& name, std::span<const std::uint8_t> first);

}  // namespace smtpscope
