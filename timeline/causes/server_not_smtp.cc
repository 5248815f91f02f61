#include <fmt/format.h>

#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace server_not_smtp_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kNonSmtpProtocol, "server")) return;
  const RuleEngine::Told* told = the_case.told(kNonSmtpProtocol);
  explanation.weight = kProven;
  explanation.side = Fault::kClient;
  explanation.headline =
      fmt::format("{}; the client is set to a wrong port or host",
                  told != nullptr ? told->text : "the server side does not speak SMTP");
  explanation.covers = {&kNonSmtpProtocol,  &kReplyMalformed,      &kReplyMissing,
                        &kClientTalksFirst, &kEhloRejected,        &kMissingQuit,
                        &kUnsolicitedReply, &kGreetingNonstandard, &kTxnAbortedDisconnect};
}

}  // namespace
}  // namespace server_not_smtp_cause

const Cause kServerNotSmtpCause = {
    .id = "server-not-smtp", .side = Fault::kClient, .weigh = server_not_smtp_cause::weigh};

}  // namespace smtpscope
