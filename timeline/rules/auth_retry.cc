// A trace does not hold the secrets: in a saved one they are overwritten, and a digest that
// survives would be one to guess passwords from. What stays is the mechanism and how many octets
// were sent, so "the same secret" is never more than possible.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace auth_retry {
namespace {

bool failed(const AuthAttempt& attempt) { return attempt.code >= 400 && !attempt.cancelled; }

void evaluate(RuleContext& context) {
  const AuthState* auth = context.session().auth.get();
  if (auth == nullptr || auth->attempts < context.threshold_count(Threshold::kAuthRetryNotice)) {
    return;
  }
  // One of the attempts before the last one failed: the rest were retries.
  const std::uint32_t failed_before = auth->failures - (failed(auth->last) ? 1 : 0);
  if (failed_before == 0) return;

  const AuthAttempt& last = auth->last;
  const AuthAttempt& before = auth->before;
  const bool succeeded = last.code / 100 == 2;
  Finding finding = context.finding();
  finding.certainty = Certainty::kPossible;
  std::string_view how;
  if (last.mechanism != before.mechanism) {
    finding.variant = "other-mechanism";
    finding.certainty = Certainty::kSeen;
    how = "with another mechanism";
    // How libraries find out what works.
    if (succeeded && auth->attempts == 2) finding.severity = Severity::kInfo;
  } else if (last.secret_octets == before.secret_octets) {
    finding.variant = "same-secret";
    how = "with the same mechanism and as many octets, so perhaps with the same secret";
  } else {
    finding.variant = "other-user";
    how = "with the same mechanism and another number of octets, so with another user or password";
  }
  if (auth->attempts >= context.threshold_count(Threshold::kAuthRetryWarning)) {
    finding.severity = Severity::kWarning;
  }
  finding.text =
      fmt::format("{} logins were tried on one connection, {} failed; the last one {}, and {}",
                  auth->attempts, auth->failures, how,
                  succeeded        ? "it succeeded"
                  : last.code == 0 ? "its end is not in the trace"
                                   : fmt::format("it ended with {}", last.code));
  finding.entries = {before.entry, last.entry};
  finding.attributes = {{"attempts", std::to_string(auth->attempts)},
                        {"failures", std::to_string(auth->failures)},
                        {"mechanism", last.mechanism},
                        {"mechanism_before", before.mechanism}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace auth_retry

const Rule kAuthRetry = {
    .id = "auth-retry",
    .category = Category::kAuth,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .triggers = kOnSessionEnd,
    .evaluate = auth_retry::evaluate,
};

}  // namespace smtpscope
