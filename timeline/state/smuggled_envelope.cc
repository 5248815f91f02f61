#include "timeline/state/smuggled_envelope.h"

#include <algorithm>

#include "parser/command_line.h"
#include "parser/path.h"
#include "parser/verb.h"

namespace smtpscope {

std::string_view next_lenient_line(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  return line;
}

std::optional<SmuggledEnvelope> find_smuggled_envelope(std::string_view behind) {
  SmuggledEnvelope found;
  bool has_sender = false, has_recipient = false;
  while (!behind.empty()) {
    const CommandWords words = split_command(next_lenient_line(behind));
    const Verb verb = verb_of(words.word);
    if (verb == Verb::kUnknown) continue;
    ++found.replies_due;
    if (verb == Verb::kMail) {
      if (!has_sender) found.sender = parse_path(words.arguments, "FROM:").path;
      has_sender = true;
    } else if (verb == Verb::kRcpt && has_sender) {
      if (!has_recipient) found.recipient = parse_path(words.arguments, "TO:").path;
      has_recipient = true;
    } else if ((verb == Verb::kData || verb == Verb::kBdat) && has_recipient) {
      // DATA is answered, and so is the end of what follows it; BDAT with its octets once.
      if (verb == Verb::kData) ++found.replies_due;
      return found;
    }
  }
  return std::nullopt;
}

void note_reply_to_smuggled(std::uint16_t code, std::uint64_t entry, SmuggledEnvelope& envelope) {
  if (envelope.replies_seen < SmuggledEnvelope::kKeptReplies) {
    envelope.replies[envelope.replies_seen] = entry;
  }
  ++envelope.replies_seen;
  if (envelope.replies_seen == envelope.replies_due && code / 100 == 2) {
    envelope.accepted_by = entry;
  }
}

}  // namespace smtpscope
