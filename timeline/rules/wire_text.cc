#include "timeline/rules/wire_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"

namespace smtpscope {

std::string in_quotes(std::string_view text) {
  return fmt::format("\"{}{}\"", text.substr(0, kQuoted), text.size() > kQuoted ? "..." : "");
}

std::string quoted_reply(unsigned code, std::string_view text) {
  if (text.empty()) return fmt::format("\"{}\"", code);
  return in_quotes(fmt::format("{} {}", code, text));
}

std::string quoted_reply(const Reply& reply) { return quoted_reply(reply.code, reply.last_text()); }

bool mentions(std::string_view text, std::initializer_list<std::string_view> words) {
  const auto same = [](char c, char of_word) { return lower(c) == of_word; };
  return std::ranges::any_of(words, [&](std::string_view word) {
    // Not ranges::search: Clang 14 cannot read what libstdc++ 12 returns.
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
  });
}

std::string_view asked_by(Answers kind, Verb verb) {
  switch (kind) {
    case Answers::kGreeting:
      return "the connection";
    case Answers::kEndOfData:
      return "the end of the message";
    case Answers::kAuthResponse:
      return "an AUTH response";
    case Answers::kBlob:
      return "the octets of XEXCH50";
    case Answers::kOrphan:
    case Answers::kUnsolicited:
      return "nothing";
    case Answers::kCommand:
      break;
  }
  return verb == Verb::kUnknown ? "an unknown command" : to_string(verb);
}

}  // namespace smtpscope
