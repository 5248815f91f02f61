#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/ascii.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace login_refused_cause {
namespace {

/// Most servers do not tell which. RFC 7628, and Google's XOAUTH2: a token, which expires.
std::string_view what_is_wrong(std::string_view mechanism, std::string_view said) {
  const std::string words = in_lower_case(said);
  const auto says = [&](std::string_view word) { return words.find(word) != std::string::npos; };
  if (says("expired")) return "the server says that the password or the token has expired";
  if (says("locked") || says("suspended") || says("account disabled") ||
      says("account is disabled")) {
    return "the server says that the account is locked";
  }
  if (mechanism == "XOAUTH2" || mechanism == "OAUTHBEARER") {
    return "the token is not accepted: it may have expired, or be for another purpose";
  }
  return "user name, password or token are not accepted";
}

void weigh(const Case& the_case, Explanation& explanation) {
  const AuthState* auth = the_case.session().auth.get();
  const RefusedReply* refusal = the_case.refusal();
  if (auth == nullptr || refusal == nullptr || refusal->stage != ReplyStage::kAuth) return;
  if (refusal->judged.reason != ReplyReason::kAuthFailed) return;
  explanation.weight = kByWords + 5;
  explanation.reason = ReplyReason::kAuthFailed;
  const bool again = auth->failures > 1;
  explanation.headline =
      fmt::format("the login{} was refused{}: {}",
                  auth->last.mechanism.empty() ? "" : fmt::format(" ({})", auth->last.mechanism),
                  again ? fmt::format(" {} times", auth->failures) : std::string(),
                  what_is_wrong(auth->last.mechanism, refusal->text));
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kAuthFailed, &kAuthRetry, &kAuthRequired, &kTooManyErrors};
}

}  // namespace
}  // namespace login_refused_cause

const Cause kLoginRefusedCause = {
    .id = "login-refused", .side = Fault::kClient, .weigh = login_refused_cause::weigh};

}  // namespace smtpscope
