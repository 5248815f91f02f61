// What two sessions say in the same sense.

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/ascii.h"
#include "lab/replay/recorded_dialogue.h"
#include "parser/command_line.h"
#include "parser/path.h"

namespace smtpscope {
namespace {

std::string mailbox_key(std::string_view arguments, std::string_view keyword) {
  const std::string_view mailbox = parse_path(arguments, keyword).mailbox;
  const std::size_t domain = std::min(find_domain(mailbox), mailbox.size());
  // RFC 5321 2.4: the local part is the server's to compare, domains are not told apart by case.
  return fmt::format("<{}{}>", mailbox.substr(0, domain), in_lower_case(mailbox.substr(domain)));
}

std::string arguments_key(const Command& command) {
  switch (command.verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
    case Verb::kNoop:
    case Verb::kXclient:
    case Verb::kXforward:
      return "";
    case Verb::kMail:
      return mailbox_key(command.arguments, "FROM:");
    case Verb::kRcpt:
      return mailbox_key(command.arguments, "TO:");
    case Verb::kBdat: {
      const auto chunk = parse_chunk_argument(command.arguments);
      return chunk ? chunk->last ? "LAST" : "" : std::string(command.arguments);
    }
    case Verb::kAuth:
      return in_upper_case(split_command(command.arguments).word);
    default:
      return std::string(without_trailing_blanks(command.arguments));
  }
}

}  // namespace

std::optional<Saying> saying_of(const Item& item) {
  Saying saying;
  if (const auto* command = std::get_if<Command>(&item.body)) {
    if (command->exchange == kNoExchange) return std::nullopt;
    saying.verb = in_upper_case(command->word);
    saying.text = command->text;
    saying.key = fmt::format("{} {}", saying.verb, arguments_key(*command));
    return saying;
  }
  if (std::holds_alternative<AuthResponse>(item.body)) {
    saying.text = "a response to AUTH";
  } else if (const auto* data = std::get_if<MailData>(&item.body)) {
    if (data->exchange == kNoExchange) return std::nullopt;
    saying.text = "the end of the message";
  } else {
    return std::nullopt;
  }
  saying.key = saying.verb = fmt::format("({})", saying.text);
  return saying;
}

}  // namespace smtpscope
