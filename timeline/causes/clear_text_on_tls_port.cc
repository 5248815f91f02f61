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
  if (!never_greeted(session) || session.tls_state != nullptr || the_case.server_port() != 465)
    return;
  explanation.weight = kProven;
  explanation.certainty = Certainty::kLikely;
  explanation.side = Fault::kClient;
  explanation.headline =
      "the server waits for TLS from the first octet on port 465, and the client waits for a "
      "greeting in the clear";
  explanation.covers = {&kNoDialogue,         &kGreetingDelay, &kGapServer,   &kClientTalksFirst,
                        &kClientTimeoutShort, &kMissingQuit,   &kReplyMissing};
}

}  // namespace
}  // namespace clear_text_on_tls_port_cause

const Cause kClearTextOnTlsPortCause = {.id = "clear-text-on-tls-port",
                                        .side = Fault::kClient,
                                        .weigh = clear_text_on_tls_port_cause::weigh};

}  // namespace smtpscope
