#include <cstdint>
#include <string>

#include "base/ascii.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace lmtp_mixed_up_cause {
namespace {

// RFC 2033 4.1: LMTP has LHLO, and neither HELO nor EHLO.
void weigh(const Case& the_case, Explanation& explanation) {
  const SessionState& session = the_case.session();
  const RefusedReply* refusal = the_case.refusal();
  if (refusal == nullptr || refusal->stage != ReplyStage::kEhlo) return;
  if (session.hello != SessionState::Hello::kNone || refusal->code / 100 != 5) return;
  const bool said_lhlo = session.last_hello.verb == Verb::kLhlo;
  const std::string words = in_lower_case(refusal->text);
  const bool wants_lhlo =
      words.find("lhlo") != std::string::npos || words.find("lmtp") != std::string::npos;
  const auto unknown = [](std::uint16_t code) { return code == 500 || code == 502; };
  // RFC 5321 4.5.1: every server has to know HELO.
  const LastHello* before = session.hello_before.get();
  const bool knows_neither = before != nullptr && before->verb == Verb::kEhlo &&
                             session.last_hello.verb == Verb::kHelo && unknown(before->code) &&
                             unknown(session.last_hello.code);
  if (!said_lhlo && !wants_lhlo && !knows_neither) return;
  if (said_lhlo && !unknown(refusal->code) && refusal->code != 503) return;
  explanation.weight = kSpecific;
  explanation.reason = refusal->judged.reason;
  explanation.side = Fault::kClient;
  explanation.headline =
      said_lhlo ? "the client speaks LMTP (LHLO), and the server SMTP"
      : wants_lhlo
          ? "the server speaks LMTP (LHLO), and the client SMTP (EHLO)"
          : "the server knows neither EHLO nor HELO, as an LMTP server does: it may want LHLO";
  if (!said_lhlo && !wants_lhlo) explanation.certainty = Certainty::kLikely;
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kEhloRejected, &kUnknownCommand, &kHeloFallback};
}

}  // namespace
}  // namespace lmtp_mixed_up_cause

const Cause kLmtpMixedUpCause = {
    .id = "lmtp-mixed-up", .side = Fault::kClient, .weigh = lmtp_mixed_up_cause::weigh};

}  // namespace smtpscope
