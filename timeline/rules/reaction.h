#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "parser/item.h"
#include "timeline/rule_context.h"

namespace smtpscope {

// Words for what a client sent and should not have, and for what the server made of it.

/// Says behind a finding whether the server took the command: it matters more to the reader than
/// the bare code.
inline void tell_reaction(const Reply& reply, Finding& finding) {
  std::string_view what = "the server refused it with";
  if (reply.code == 221) {
    // RFC 5321 4.2.2: "closing transmission channel". A yes it is not.
    what = "the server took its leave with";
  } else if (reply.first_digit() == 2 || reply.first_digit() == 3) {
    what = "the server tolerated it and answered";
  } else if (reply.code == 421 || reply.code == 521) {
    what = "the server ended the session with";
  }
  finding.text += fmt::format("; {} {}", what, reply.code);
  finding.attributes.emplace_back("reply", std::to_string(reply.code));
}

/// Rule::answered for rules that need no more than that. Where the server had refused the session
/// as a whole, its answers to single commands say nothing (RFC 5321 3.1).
inline bool answered_with_reaction(RuleContext& context, Finding& finding) {
  if (context.session().greeting == SessionState::Greeting::kRefused) return false;
  tell_reaction(*context.reply(), finding);
  return true;
}

/// The beginning of what the client sent, for quoting it.
inline std::string excerpt(std::string_view text) {
  constexpr std::size_t kExcerpt = 64;
  return fmt::format("{}{}", text.substr(0, kExcerpt), text.size() > kExcerpt ? "..." : "");
}

}  // namespace smtpscope
