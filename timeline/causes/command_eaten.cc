#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace command_eaten_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const RefusedReply* refusal = the_case.refusal();
  if (refusal == nullptr || refusal->code != 503 || the_case.session().mails_sent == 0) return;
  if (refusal->stage != ReplyStage::kMail && refusal->stage != ReplyStage::kRcpt &&
      refusal->stage != ReplyStage::kData) {
    return;
  }
  // What the server misses, in the words of Postfix, sendmail, Exchange and Exim.
  constexpr std::array<std::string_view, 5> kMissed = {"need mail", "mail first", "mail before",
                                                       "mail from first", "sender not yet given"};
  const std::string words = in_lower_case(refusal->text);
  if (std::ranges::none_of(kMissed, [&](std::string_view missed) {
        return words.find(missed) != std::string::npos;
      })) {
    return;
  }
  explanation.weight = kSpecific + 5;
  explanation.certainty = Certainty::kLikely;
  explanation.side = Fault::kNetwork;
  if ((the_case.session().fidelity.unknown & kUnknownOctets) == 0) {
    explanation.headline =
        "the server says that it never got MAIL, which the client did send: something in between "
        "eats commands, often of a group sent at once";
    explanation.not_it = {"the client: its MAIL is in the trace"};
  } else {
    // A program may log what it has only meant to send.
    explanation.headline =
        "the server says that it never got MAIL, which the log has: something in between eats "
        "commands, often of a group sent at once, or the client logged it and did not send it";
    explanation.side = Fault::kUnknown;
  }
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kReplyMissing, &kCommandOutOfOrder, &kAllRcptRejected, &kUnsolicitedReply,
                        &kTxnAbortedDisconnect};
}

}  // namespace
}  // namespace command_eaten_cause

const Cause kCommandEatenCause = {
    .id = "command-eaten", .side = Fault::kNetwork, .weigh = command_eaten_cause::weigh};

}  // namespace smtpscope
