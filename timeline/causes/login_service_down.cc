#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace login_service_down_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const RemarkNote* told = the_case.remark(RemarkKind::kLoginBackend);
  if (told == nullptr || the_case.session().authenticated || the_case.all_delivered()) return;
  explanation.weight = kProven;
  explanation.certainty = Certainty::kSeen;
  explanation.side = Fault::kServer;
  explanation.headline = fmt::format(
      "the service that checks logins is out of order on the server: its log says \"{}\"",
      told->text);
  if (const RefusedReply* refusal = the_case.refusal()) {
    explanation.entries = {refusal->entry};
    explanation.explains_refusal = true;
  }
  explanation.covers = {&kAuthFailed,  &kAuthRetry,  &kServerClosedWithout421,
                        &kMissingQuit, &kNoDialogue, &kReplyMissing};
}

}  // namespace
}  // namespace login_service_down_cause

const Cause kLoginServiceDownCause = {
    .id = "login-service-down", .side = Fault::kServer, .weigh = login_service_down_cause::weigh};

}  // namespace smtpscope
