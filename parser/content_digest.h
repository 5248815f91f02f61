#pragma once

#include <cstdint>
#include <span>

namespace smtpscope {

/// The digest of content that `digest` is that of its first `at` octets of, with `octets` behind
/// them. That of no octets is 0. Fast and well spread, but made for telling messages of one session
/// apart, not for resisting someone who wants two to look the same. Values are written into
/// captures: they never change.
std::uint64_t digest_on(std::uint64_t digest, std::uint64_t at,
                        std::span<const std::uint8_t> octets);

}  // namespace smtpscope
