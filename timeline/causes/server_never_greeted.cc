#include <fmt/format.h>

#include <chrono>
#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace server_never_greeted_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const SessionState& session = the_case.session();
  if (!never_greeted(session) || the_case.found(kNonSmtpProtocol)) return;
  explanation.side = Fault::kServer;
  if (session.last_hello.code != 0) {
    // It answers commands, so it is there, and speaks in the clear.
    explanation.weight = kUsual + 15;
    explanation.headline = "the server sent no greeting, though it answers commands";
  } else {
    explanation.weight = kSpecific;
    const CloseRecord* left = the_case.close_of(Side::kClient);
    const Duration waited = left != nullptr && session.first_closer == Side::kClient
                                ? left->left - session.connected_at
                                : Duration::zero();
    explanation.headline = fmt::format(
        "the server accepted the connection and never greeted{}{}",
        waited > std::chrono::milliseconds(900)
            ? fmt::format("; the client left after {}", the_case.measured(waited))
            : std::string(),
        the_case.session().on_submissions_port() ? ""
                                                 : "; this port may want TLS from the first octet");
  }
  explanation.certainty = Certainty::kSeen;
  explanation.covers = {&kNoDialogue,
                        &kGreetingDelay,
                        &kGapServer,
                        &kClientTalksFirst,
                        &kClientTimeoutShort,
                        &kMissingQuit,
                        &kServerClosedWithout421,
                        &kReplyMissing};
}

}  // namespace
}  // namespace server_never_greeted_cause

const Cause kServerNeverGreetedCause = {.id = "server-never-greeted",
                                        .side = Fault::kServer,
                                        .weigh = server_never_greeted_cause::weigh};

}  // namespace smtpscope
