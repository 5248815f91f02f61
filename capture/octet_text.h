#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace smtpscope {

/// How octets stand in a line of a capture: docs/capture-format.md, "Octets". A JSON string in
/// which each character U+0000 to U+00FF is one octet, in ASCII only; or base64 where that would
/// be hard to read and long.

/// At most so many octets are needed by write_octets() for `octets` octets, keys aside.
constexpr std::size_t most_octet_text(std::size_t octets) { return 3 * octets + 64; }

/// Writes `"text_key":"..."` or `"base64_key":"..."` to `out`, which has room for
/// most_octet_text() and the longer key. Gives the end of what was written; what lies behind it
/// may have been overwritten up to the end of that room.
char* write_octets(char* out, std::string_view text_key, std::string_view base64_key,
                   std::span<const std::uint8_t> octets);

/// At most so many octets are needed by write_text() for a text of `size` octets.
constexpr std::size_t most_text(std::size_t size) { return 6 * size + 2; }

/// Writes `text`, UTF-8 for people, as a JSON string, quotes included. What is not UTF-8 becomes
/// U+FFFD. Gives the end.
char* write_text(char* out, std::string_view text);

/// Appends the octets that a JSON string, given as UTF-8, stands for. False when one of its
/// characters is beyond U+00FF.
bool append_text_octets(std::string_view utf8, std::vector<std::uint8_t>& octets);
/// Appends the octets that base64 (RFC 4648 4) stands for. False when it is none.
bool append_base64_octets(std::string_view base64, std::vector<std::uint8_t>& octets);

}  // namespace smtpscope
