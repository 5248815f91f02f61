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
    .title = "The server hung up because of RSET",
    .means =
        "A server must not close the connection because it received RSET. This one closed it right "
        "behind, and said neither 421 nor anything else that would explain it. A client that meant "
        "to go on has lost its session and must connect again.",
    .causes =
        "A device in between (firewall, load balancer, filter) that cuts the session.\n"
        "A limit in the server on commands that move no mail, which hangs up without the 421 that "
        "it owes.\n"
        "A server process that crashes on RSET.",
    .tell_apart =
        "The server's log decides: an entry about a limit, a crash, or no knowledge at all of the "
        "close, which points at a device in between. A reset (attribute close) more often comes "
        "from a device or a crash than from a server that made up its mind.",
    .advice =
        "Read the server's log for this moment.\n"
        "Look for a limit on commands without mail, and how many RSETs and NOOPs came before.\n"
        "Record on the server host and see whether the close comes from there.",
    .caveats =
        "Where the kernel did not measure the round trip, the quickest reply so far stands for it. "
        "A server that closed for another reason in the very same moment looks the same.",
    .reference = "RFC 5321 4.1.1.5, 3.8",
    .needs = kNeedsFineTimes | kNeedsCloseKind,
    .uses = kNeedsRtt,
    .triggers = kOnClose,
    .evaluate = rset_server_closed::evaluate,
};

}  // namespace smtpscope
