#pragma once

#include <string_view>

#include "parser/conversation.h"
#include "timeline/rule_context.h"

namespace smtpscope {

/// What the server offers is known as the client knew it: no part of its EHLO reply is missing, and
/// the client had that reply. At kOnCommand. (A client that sends more behind an EHLO without
/// waiting uses what it learned elsewhere; that is a question of sequence, not of offers.)
inline bool offers_known(const RuleContext& context) {
  const SessionState& session = context.session();
  if (session.holes > 0 || context.conversation().capabilities().dropped() > 0) return false;
  if (session.last_hello.entry != 0 && session.last_hello.code == 0) return false;
  return !session.mid_session || session.hello != SessionState::Hello::kNone;
}

/// For RuleContext::not_evaluated(), where offers_known() says no.
inline constexpr std::string_view kOffersUnknown = "what the server offers is not in the trace";

/// Why a keyword is not in force, as the end of a sentence.
inline std::string_view why_not_offered(const RuleContext& context) {
  switch (context.session().hello) {
    case SessionState::Hello::kNone:
      return "no EHLO is in force";
    case SessionState::Hello::kHelo:
      return "the session was opened with HELO, which offers nothing";
    default:
      return "its reply to EHLO does not offer it";
  }
}

}  // namespace smtpscope
