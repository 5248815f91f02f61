#include <fmt/format.h>

#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace tarpit_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const RemarkNote* remark = the_case.remark(RemarkKind::kTarpit);
  if (remark == nullptr && !the_case.found(kTarpitPattern)) return;
  const RuleEngine::Told* told = the_case.told(kTarpitPattern);
  explanation.weight = kSpecific - 5;
  explanation.certainty = remark != nullptr ? Certainty::kSeen : Certainty::kLikely;
  explanation.side = Fault::kServer;
  const RefusedReply* refusal = the_case.refusal();
  explanation.headline = fmt::format(
      "the server slows the client down on purpose (a tarpit){}{}",
      remark != nullptr ? fmt::format(": its log says \"{}\"", remark->text)
      : told != nullptr ? ": " + told->text
                        : std::string(),
      refusal != nullptr ? fmt::format("; what it refuses: {}",
                                       the_case.reasons().words(refusal->judged.reason).says)
                         : std::string());
  if (refusal != nullptr) {
    explanation.reason = refusal->judged.reason;
    explanation.entries = {refusal->entry};
    explanation.explains_refusal = true;
  }
  explanation.covers = {&kTarpitPattern, &kGapServer, &kTooManyErrors, &kRoundPause,
                        &kDnsTimeoutSignature};
}

}  // namespace
}  // namespace tarpit_cause

const Cause kTarpitCause = {.id = "tarpit", .side = Fault::kServer, .weigh = tarpit_cause::weigh};

}  // namespace smtpscope
