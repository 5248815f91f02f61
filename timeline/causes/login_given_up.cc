#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"

namespace smtpscope {
namespace login_given_up_cause {
namespace {

/// RFC 4954 4: "*" cancels an exchange; QUIT in an answer's place is none of its answers either.
void weigh(const Case& the_case, Explanation& explanation) {
  const AuthState* auth = the_case.session().auth.get();
  if (auth == nullptr || !auth->last.cancelled || auth->failures > 0) return;
  if (the_case.session().transactions > 0) return;
  explanation.weight = kProven;
  explanation.side = Fault::kClient;
  explanation.headline = fmt::format(
      "the client gave up its login ({}): it answered the server's challenge {}",
      auth->last.mechanism, auth->last.quit ? "with QUIT" : "with \"*\", which cancels it");
  explanation.entries = {auth->last.entry};
}

}  // namespace
}  // namespace login_given_up_cause

const Cause kLoginGivenUpCause = {
    .id = "login-given-up", .side = Fault::kClient, .weigh = login_given_up_cause::weigh};

}  // namespace smtpscope
