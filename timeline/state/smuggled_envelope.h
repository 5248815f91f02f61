#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smtpscope {

/// A second envelope inside a message, behind a sequence that some servers take for the end of the
/// first (SMTP smuggling). The replies tell whether this server did: it then answers the commands
/// inside, too, and nobody else has asked for those answers.
struct SmuggledEnvelope {
  static constexpr std::size_t kKeptReplies = 8;

  std::uint64_t entry = 0;  // of the mail data that holds it
  std::string sender;       // the path of its first MAIL, RCPT
  std::string recipient;
  std::uint32_t replies_due = 0;  // if the server takes the commands inside for commands
  std::uint32_t replies_seen = 0;
  std::array<std::uint64_t, kKeptReplies> replies{};  // entries of the first of them
  std::uint64_t accepted_by = 0;  // the reply that accepted the second message; 0: none did
};

/// Takes the next line that is not empty off `text`. It may end in anything that a lenient server
/// takes for an end; "" when there is none.
std::string_view next_lenient_line(std::string_view& text);

/// The envelope in `behind`, the text behind the sequence: MAIL, RCPT, and DATA or BDAT on lines of
/// their own, in this order.
std::optional<SmuggledEnvelope> find_smuggled_envelope(std::string_view behind);

/// Counts a reply that answers nothing the client has asked in the open.
void note_reply_to_smuggled(std::uint16_t code, std::uint64_t entry, SmuggledEnvelope& envelope);

}  // namespace smtpscope
