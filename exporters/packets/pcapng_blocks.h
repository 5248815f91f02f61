#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace smtpscope {

// The blocks of a pcapng file (draft-ietf-opsawg-pcapng), as octets, in big-endian order.

/// Opens the file. `application` wrote it; the comment is for people, and may be empty.
std::string pcapng_section(std::string_view application, std::string_view comment);

/// Describes the one interface: packets begin with an IP header (LINKTYPE_RAW), times are in
/// nanoseconds.
std::string pcapng_interface(std::string_view name);

/// A packet: what there is of it, and how long it was on the wire. A comment is one option each.
std::string pcapng_packet(WallTime time, std::string_view octets, std::size_t original_length,
                          const std::vector<std::string>& comments);

}  // namespace smtpscope
