#pragma once

#include <cstdint>
#include <string_view>

namespace smtpscope {

/// For telling equal envelopes without keeping them. Paths count as equal when their domains are
/// equal but for case and their local parts are exactly equal (RFC 5321 2.4).
std::uint64_t sender_hash(std::string_view reverse_path);

/// The envelope's hash `so_far` with one more recipient; order counts. Start from sender_hash().
std::uint64_t with_recipient(std::uint64_t so_far, std::string_view forward_path);

/// Of a path's domain, in whatever case; 0 if it has none.
std::uint64_t domain_hash(std::string_view path);

}  // namespace smtpscope
