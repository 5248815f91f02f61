#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace rset_server_closed {
namespace {

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  const Closed* closed = context.closed();
  if (closed->from != Side::kServer || closed->by_proxy) return;
  if (closed->kind != CloseKind::kFin && closed->kind != CloseKind::kReset) return;
  if (session.first_closer != Side::kServer) return;
  if (session.quit_sent || session.hangup_code != 0) return;
  if (session.last_command.verb != Verb::kRset) return;

  const bool answered = session.last_reply.entry > session.last_command.entry;
  const Duration since =
      context.now() - (answered ? session.last_reply.last : session.last_command.last);
  if (answered) {
    if (session.last_reply.code / 100 != 2) return;
    if (since > context.threshold(Threshold::kRsetServerClosedWithin)) return;
  } else {
    // Sooner than one round trip, the server had decided before the RSET can have reached it:
    // server-closed-without-421 tells.
    if (!session.rtt_s) {
      context.not_evaluated("the round trip to the server is not known");
      return;
    }
    if (since < *session.rtt_s) return;
  }

  Finding finding = context.finding();
  finding.text = answered
                     ? fmt::format("the server closed the connection {} after its answer to RSET",
                                   duration_text(since))
                     : fmt::format(
                           "the server closed the connection {} after RSET was sent to it, "
                           "without an answer and without 421",
                           duration_text(since));
  finding.entries = {session.last_command.entry};
  if (answered) finding.entries.push_back(session.last_reply.entry);
  finding.attributes = {{"after", seconds_text(since)},
                        {"answered", answered ? "true" : "false"},
                        {"close", std::string(to_string(closed->kind))}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace rset_server_closed

const Rule kRsetServerClosed = {
    .id = "rset-server-closed",
    .category = Category::kTransaction,
    .severity = Severity::kError,
    .fault = Fault::kServer,
    .needs = kNeedsFineTimes | kNeedsCloseKind,
    .uses = kNeedsRtt,
    .triggers = kOnClose,
    .evaluate = rset_server_closed::evaluate,
};

}  // namespace smtpscope
