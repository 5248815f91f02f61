#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smtpscope {

/// The text was put there by hand in place of something that nobody should read: "***",
/// "<redacted>", "xxxx", "[removed]", "[email protected]" (what Cloudflare makes of addresses).
bool is_blotted(std::string_view text);

/// In the MAIL or RCPT command `line`, puts an address in place of one that is blotted out: the
/// `number`th, so that two of them are never taken for one. False if there is none.
bool replace_blotted_path(std::string& line, std::uint32_t number);

/// Puts `name` in place of the word of `line` that begins at `at`, if that is blotted out and other
/// words stand behind it or none ever do (`alone`): a firewall that masks a greeting masks all of
/// it.
void replace_blotted_name(std::string& line, std::size_t at, std::string_view name, bool alone);

}  // namespace smtpscope
