#include <fmt/format.h>

#include "base/ascii.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace login_mechanism_not_offered_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const AuthState* auth = the_case.session().auth.get();
  const RefusedReply* refusal = the_case.refusal();
  if (auth == nullptr || refusal == nullptr || refusal->stage != ReplyStage::kAuth) return;
  if (auth->last.mechanism.empty()) return;
  const Capabilities::Keyword* offered = the_case.offered().find("AUTH");
  if (offered == nullptr || offered->parameters().empty()) return;
  if (in_list(offered->parameters(), auth->last.mechanism)) return;
  explanation.weight = kProven;
  explanation.reason = ReplyReason::kAuthMechanism;
  explanation.headline =
      fmt::format("the client logs in with {}, which the server does not offer; it offers {}",
                  auth->last.mechanism, offered->parameters());
  explanation.entries = {auth->last.entry, refusal->entry};
  explanation.explains_refusal = true;
  explanation.not_it = {"a wrong password: it was not looked at"};
  explanation.covers = {&kAuthFailed, &kAuthRetry, &kAuthRequired};
}

}  // namespace
}  // namespace login_mechanism_not_offered_cause

const Cause kLoginMechanismNotOfferedCause = {.id = "login-mechanism-not-offered",
                                              .side = Fault::kClient,
                                              .weigh = login_mechanism_not_offered_cause::weigh};

}  // namespace smtpscope
