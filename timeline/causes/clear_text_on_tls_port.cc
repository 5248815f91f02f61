#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace clear_text_on_tls_port_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const SessionState& session = the_case.session();
  // Programs that show no octets show of a TLS alert what of it is a letter: "F".
  if (!never_replied(session) || session.last_hello.code != 0) return;
  if (session.tls_state != nullptr || !session.on_submissions_port()) return;
  explanation.weight = kProven;
  explanation.certainty = Certainty::kLikely;
  explanation.side = Fault::kClient;
  explanation.headline = fmt::format(
      "the server waits for TLS from the first octet on port 465, and the client {} in the clear",
      session.last_command.entry != 0 ? "speaks" : "waits for a greeting");
  explanation.covers = {&kNoDialogue,   &kGreetingDelay,    &kGapServer,      &kMissingQuit,
                        &kReplyMissing, &kClientTalksFirst, &kReplyMalformed, &kClientTimeoutShort};
}

}  // namespace
}  // namespace clear_text_on_tls_port_cause

const Cause kClearTextOnTlsPortCause = {.id = "clear-text-on-tls-port",
                                        .side = Fault::kClient,
                                        .weigh = clear_text_on_tls_port_cause::weigh};

}  // namespace smtpscope
