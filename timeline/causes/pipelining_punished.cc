#include <fmt/format.h>

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
namespace pipelining_punished_cause {
namespace {

/// Postfix logs it of a client that it goes on to serve, too: no reply need have told it.
void by_log_alone(const Case& the_case, Explanation& explanation) {
  const RemarkNote* logged = the_case.remark(RemarkKind::kPipelining);
  if (logged == nullptr || the_case.refusal() != nullptr || the_case.all_delivered()) return;
  explanation.weight = kUsual;
  explanation.certainty = Certainty::kLikely;
  explanation.headline = fmt::format(
      "the client did not wait for the server's replies before it sent more; the server's log says "
      "\"{}\"",
      logged->text);
}

void weigh(const Case& the_case, Explanation& explanation) {
  // Whoever speaks another protocol waits for nobody; that it does is the cause.
  if (the_case.found(kNonSmtpProtocol)) return;
  const RefusedReply* refusal = the_case.refusal();
  if (refusal == nullptr || refusal->judged.reason != ReplyReason::kProtocolError) {
    by_log_alone(the_case, explanation);
    return;
  }
  const auto says_any = [words = in_lower_case(refusal->text)](const auto& list) {
    return std::ranges::any_of(
        list, [&](std::string_view word) { return words.find(word) != std::string::npos; });
  };
  constexpr std::array<std::string_view, 2> kPlain = {"synchroni", "pipelin"};
  constexpr std::array<std::string_view, 3> kHints = {"too soon", "early", "pregreet"};
  const bool says = says_any(kPlain);
  const bool seen = the_case.found(kPipeliningUnadvertised) ||
                    the_case.found(kPipeliningPastSyncPoint) || the_case.found(kClientTalksFirst);
  // Before the greeting the refusal itself is the punishment, whatever its words.
  const bool before_greeting = the_case.found(kClientTalksFirst) &&
                               refusal->stage == ReplyStage::kConnect && refusal->code / 100 == 5;
  // A log does not show what came together; the server knows.
  const bool unseen = (the_case.session().fidelity.unknown & kUnknownReads) != 0;
  if (!(seen && (says || before_greeting || says_any(kHints))) && !(unseen && says)) return;
  explanation.weight = kProven;
  explanation.reason = ReplyReason::kProtocolError;
  explanation.headline =
      "the client did not wait for the server's replies before it sent more, which this server "
      "does not allow";
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kPipeliningUnadvertised,
                        &kPipeliningPastSyncPoint,
                        &kClientTalksFirst,
                        &kRsetRejected,
                        &kServerClosedWithout421,
                        &kTooManyErrors,
                        &kUnsolicitedReply,
                        &kTxnAbortedDisconnect,
                        &kReplyMultilineCodeMismatch,
                        &kEhloRejected,
                        &kReplyMissing};
}

}  // namespace
}  // namespace pipelining_punished_cause

const Cause kPipeliningPunishedCause = {
    .id = "pipelining-punished", .side = Fault::kClient, .weigh = pipelining_punished_cause::weigh};

}  // namespace smtpscope
