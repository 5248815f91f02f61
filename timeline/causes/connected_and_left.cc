#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace connected_and_left_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const SessionState& session = the_case.session();
  if (session.transactions > 0 || session.connect_failed || session.last_hello.entry != 0) return;
  // What is missing may be what it said.
  if (session.mid_session || session.holes > 0) return;
  if (session.greeting != SessionState::Greeting::kOk || session.tls ||
      session.tls_state != nullptr)
    return;
  if (session.last_command.entry != 0 && session.last_command.verb != Verb::kQuit) return;
  if (the_case.found(kNonSmtpProtocol) || the_case.found(kClientTalksFirst)) return;
  if (session.first_closer == Side::kServer && !session.quit_sent) return;
  // A monitor finds all well.
  if (client_tells_of_errors(the_case)) return;
  explanation.weight = kUsual;
  explanation.certainty = Certainty::kLikely;
  const CloseRecord* left = the_case.close_of(Side::kClient);
  const bool before_greeting = left != nullptr && left->left < session.last_reply.first;
  explanation.headline =
      session.quit_sent
          ? "the client only looked whether the server answers, and said QUIT: a health check, or "
            "someone's test"
      : before_greeting
          ? "the client connected and left without waiting for the greeting: a health check or a "
            "port scan"
          : "the client connected, read the greeting and left: a health check or a port scan";
  explanation.covers = {&kNoDialogue, &kMissingQuit};
}

}  // namespace
}  // namespace connected_and_left_cause

const Cause kConnectedAndLeftCause = {
    .id = "connected-and-left", .side = Fault::kClient, .weigh = connected_and_left_cause::weigh};

}  // namespace smtpscope
