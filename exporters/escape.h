#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace smtpscope {

/// Whose words a text is, which decides what a backslash in it means.
enum class Wording : std::uint8_t {
  kWire,  // octets as they came: a backslash is doubled, so the escaping can be undone
  kOurs,  // a sentence of ours that may quote octets already escaped: a backslash stays
};

/// What the reader can display.
enum class Charset : std::uint8_t { kUtf8, kAscii };

/// Makes a text from the wire harmless to a terminal and unambiguous to the eye.
///
/// Kept: printable ASCII, and printable characters of valid UTF-8. Escaped: C0 and C1 controls
/// and DEL, as \t \r \n or \xNN; octets that are no valid UTF-8, as \xNN; characters that are
/// invisible or reorder what stands around them (zero-width, bidirectional controls, line
/// separators, tags), as \u{NNNN}. With Charset::kAscii every character beyond ASCII is escaped.
std::string escape(std::string_view text, Wording wording, Charset charset);

/// The whole text is valid UTF-8 (RFC 3629: no overlong form, no surrogate).
bool is_utf8(std::string_view text);

/// One step through a text that may be anything.
struct CodePoint {
  char32_t value = 0;
  std::uint8_t octets = 0;  // 1 to 4; 1 where the octet begins no valid sequence
  bool valid = false;       // false: `value` is the octet itself
};
/// `text` must not be empty.
CodePoint first_code_point(std::string_view text);

/// How many octets at the beginning of `text` are printable ASCII but for the quotation mark and
/// the backslash: in nearly every text all, and nothing needs to be done about them.
std::size_t plain_octets(std::string_view text);

/// The character may drive a terminal, hide, or reorder what stands around it. ASCII controls are
/// among them.
bool is_unsafe(char32_t value);

}  // namespace smtpscope
