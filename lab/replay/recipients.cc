#include "lab/replay/recipients.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "parser/command_line.h"
#include "parser/path.h"
#include "parser/verb.h"

namespace smtpscope {
namespace {

/// An expression that matches these octets only.
std::string as_expression(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!is_alphanumeric(c) && static_cast<unsigned char>(c) < 0x80) out += '\\';
    out += c;
  }
  return out;
}

void add_once(std::vector<std::string>& all, std::string text) {
  if (std::ranges::find(all, text) == all.end()) all.push_back(std::move(text));
}

}  // namespace

void replace_recipients(RecordedDialogue& dialogue, const std::string& address,
                        std::vector<std::string>& ignore) {
  std::string octets;
  octets.reserve(dialogue.client_octets.size());
  std::vector<ClientStep>& steps = dialogue.steps;
  for (std::size_t i = 0; i < steps.size();) {
    // An item, and the pieces that it came in.
    std::size_t behind = i + 1;
    while (behind < steps.size() && steps[behind].kind == ClientStep::Kind::kSay &&
           !steps[behind].begins_item) {
      ++behind;
    }
    if (steps[i].kind != ClientStep::Kind::kSay) {
      i = behind;
      continue;
    }
    const std::string_view line =
        std::string_view(dialogue.client_octets)
            .substr(steps[i].begin, steps[behind - 1].end - steps[i].begin);
    const CommandWords words = split_command(line);
    const std::string_view mailbox = parse_path(words.arguments, "TO:").mailbox;
    if (steps[i].saying == SayingKind::kCommand && verb_of(words.word) == Verb::kRcpt &&
        !mailbox.empty()) {
      add_once(ignore, as_expression(mailbox));
      const auto at = static_cast<std::size_t>(mailbox.data() - line.data());
      const std::uint64_t begin = octets.size();
      octets += line.substr(0, at);
      octets += address;
      octets += line.substr(at + mailbox.size());
      // In one piece: where it was cut is of the other address.
      for (std::size_t each = i; each < behind; ++each) {
        steps[each].begin = each == i ? begin : octets.size();
        steps[each].end = octets.size();
      }
    } else {
      for (std::size_t each = i; each < behind; ++each) {
        const std::uint64_t begin = octets.size();
        octets.append(dialogue.client_octets, steps[each].begin,
                      steps[each].end - steps[each].begin);
        steps[each].begin = begin;
        steps[each].end = octets.size();
      }
    }
    i = behind;
  }
  if (!ignore.empty()) add_once(ignore, as_expression(address));
  dialogue.client_octets = std::move(octets);
}

}  // namespace smtpscope
