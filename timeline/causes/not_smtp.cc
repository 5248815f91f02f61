#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace not_smtp_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kNonSmtpProtocol) || the_case.found(kNonSmtpProtocol, "tls-expected") ||
      the_case.found(kNonSmtpProtocol, "tls-on-plaintext") ||
      the_case.found(kNonSmtpProtocol, "server")) {
    return;
  }
  const RuleEngine::Told* told = the_case.told(kNonSmtpProtocol);
  explanation.weight = kSpecific;
  explanation.side = Fault::kClient;
  explanation.headline = told != nullptr ? told->text : "what the client sends is not SMTP";
  explanation.covers = {&kNonSmtpProtocol,        &kUnknownCommand,   &kTooManyErrors,
                        &kNonprintableOctets,     &kMissingQuit,      &kNoDialogue,
                        &kServerClosedWithout421, &kUnsolicitedReply, &kPipeliningUnadvertised,
                        &kClientTalksFirst};
}

}  // namespace
}  // namespace not_smtp_cause

const Cause kNotSmtpCause = {
    .id = "not-smtp", .side = Fault::kClient, .weigh = not_smtp_cause::weigh};

}  // namespace smtpscope
