#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/expected_codes.h"
#include "timeline/rules/smuggled_reply.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace reply_code_unexpected {
namespace {

/// 3yz asks the client to go on with something. SMTP and its extensions know these only.
bool is_intermediate(const Reply& reply, const Conversation& conversation) {
  switch (reply.answers) {
    case Answers::kAuthResponse:
      return true;
    case Answers::kEndOfData:
      return reply.code == 353 && conversation.capabilities().has("PRDR");
    case Answers::kCommand:
      // The first digit decides (RFC 5321 4.2): 350 to DATA asks for the message as 354 does.
      if (reply.verb == Verb::kBdat) {
        return reply.code == 353 && conversation.capabilities().has("PRDR");
      }
      return reply.verb == Verb::kData || reply.verb == Verb::kAuth || reply.verb == Verb::kXexps ||
             reply.verb == Verb::kXexch50;
    default:
      return false;
  }
}

/// The usual yes, quickly.
bool is_ordinary(const Reply& reply) {
  const bool about_data = reply.answers == Answers::kCommand && reply.verb == Verb::kData;
  if (reply.code == 354) return about_data;
  return reply.code == 250 && !about_data &&
         (reply.answers == Answers::kCommand || reply.answers == Answers::kEndOfData) &&
         is_expected(reply.answers, reply.verb, reply.code);
}

struct Oddity {
  std::string_view variant;
  Severity severity = Severity::kNotice;
  std::string_view why;
  bool habit = false;  // worth one line in a session
};

Oddity oddity_of(const Reply& reply, const Conversation& conversation) {
  const int digit = reply.first_digit();
  if (digit < 2 || digit > 5) {
    return {"range", Severity::kError, "a code that SMTP does not have"};
  }
  if (digit == 3 && !is_intermediate(reply, conversation)) {
    return {"intermediate", Severity::kError,
            "which asks the client to go on where nothing can follow"};
  }
  if (reply.code == 353) return {};  // PRDR
  // Codes above x59 happen and are to be tolerated.
  if (reply.code / 10 % 10 > 5) {
    return {"digit2", Severity::kNotice, "whose second digit has no meaning", true};
  }
  const bool asked = reply.answers != Answers::kGreeting && reply.answers != Answers::kOrphan &&
                     reply.answers != Answers::kUnsolicited;
  if (!asked) return {};
  const bool command = reply.answers == Answers::kCommand;
  if (command && reply.verb == Verb::kData && digit == 2) {
    return {"unlisted", Severity::kNotice, "although nothing was sent yet that could be accepted"};
  }
  if (reply.code == 221 && !(command && reply.verb == Verb::kQuit)) {
    return {"unlisted", Severity::kNotice, "the farewell, although nobody had said QUIT"};
  }
  if (!is_expected(reply.answers, reply.verb, reply.code)) {
    return {"unlisted", Severity::kInfo, "which is not among the codes for it", true};
  }
  return {};
}

void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  if (!reply.complete || context.entry()->by_proxy || is_ordinary(reply)) return;
  if (answers_smuggled(context)) return;  // 354 to the DATA inside
  const Oddity odd = oddity_of(reply, context.conversation());
  if (odd.variant.empty()) return;
  // RFC 5321 3.1: a session that was refused answers 503 to everything.
  if (odd.variant == "unlisted" && reply.code == 503 &&
      context.session().greeting == SessionState::Greeting::kRefused) {
    return;
  }
  // QUIT in place of an answer to the challenge: this server takes it for what it says.
  const AuthState* auth = context.session().auth.get();
  const bool quits = reply.answers == Answers::kAuthResponse && auth != nullptr && auth->last.quit;
  if (reply.code == 221 && quits) return;
  if (odd.habit && context.fired(kReplyCodeUnexpected, odd.variant) > 0) return;

  Finding finding = context.finding();
  finding.variant = odd.variant;
  finding.severity = odd.severity;
  const bool greeting = reply.answers == Answers::kGreeting;
  finding.text = greeting ? fmt::format("the server greeted with {}: {}", reply.code, odd.why)
                          : fmt::format("the server answered {} with {}, {}",
                                        asked_by(reply.answers, reply.verb), reply.code, odd.why);
  if (context.answered() != nullptr) finding.entries.push_back(context.answered()->entry);
  finding.attributes = {{"code", std::to_string(reply.code)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace reply_code_unexpected

const Rule kReplyCodeUnexpected = {
    .id = "reply-code-unexpected",
    .category = Category::kServer,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .triggers = kOnReply,
    .evaluate = reply_code_unexpected::evaluate,
};

}  // namespace smtpscope
