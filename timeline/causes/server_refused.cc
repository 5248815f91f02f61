#include <fmt/format.h>

#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace server_refused_cause {
namespace {

/// RFC 5321 4.2.4, 4.3.2: the code tells which of SMTP's rules.
std::string of_protocol_error(const RefusedReply& refusal) {
  const bool unqualified = refusal.text.find("fully-qualified address") != std::string::npos;
  const bool about_sender = refusal.stage == ReplyStage::kMail ||
                            (unqualified && refusal.text.find("Sender") != std::string::npos);
  const bool at_address = refusal.stage == ReplyStage::kMail || refusal.stage == ReplyStage::kRcpt;
  const bool by_code = refusal.code == 553 || refusal.enhanced.ends_with(".1.3") ||
                       refusal.enhanced.ends_with(".1.7");
  const bool about_address = unqualified || (at_address && by_code);
  if (about_address) {
    return fmt::format("the {} address is not well formed, says the server",
                       about_sender ? "sender's" : "recipient's");
  }
  switch (refusal.code) {
    case 500:
      return "the server did not understand what it was sent";
    case 501:
      return "the server cannot read a command's argument: it is not written as it expects";
    case 503:
      return fmt::format(
          "the server does not expect {} at this point of the dialogue",
          refusal.stage == ReplyStage::kUnknown ? "the command" : refused_command(refusal));
    default:
      return "the dialogue broke SMTP's rules";
  }
}

void weigh(const Case& the_case, Explanation& explanation) {
  const RefusedReply* refusal = the_case.refusal();
  if (refusal == nullptr) return;
  const ReasonWords& words = the_case.reasons().words(refusal->judged.reason);
  explanation.weight = kByWords;
  explanation.reason = refusal->judged.reason;
  explanation.headline = refusal->judged.reason == ReplyReason::kProtocolError
                             ? of_protocol_error(*refusal)
                             : words.says;
  // Gmail's "421 4.7.0 Try again later, closing connection. (EHLO)".
  const bool hung_up_at_name = refusal->stage == ReplyStage::kEhlo &&
                               refusal->judged.reason == ReplyReason::kServerBusy &&
                               the_case.found(kHeloNameSuspicious);
  if (hung_up_at_name) {
    explanation.headline += "; said to EHLO, that is often meant for the name given there";
  }
  explanation.side = words.who == WhoActs::kClientAdmin   ? Fault::kClient
                     : words.who == WhoActs::kServerAdmin ? Fault::kServer
                                                          : Fault::kUnknown;
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
}

}  // namespace
}  // namespace server_refused_cause

const Cause kServerRefusedCause = {
    .id = "server-refused", .side = Fault::kUnknown, .weigh = server_refused_cause::weigh};

}  // namespace smtpscope
