#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  const Closed* closed = context.closed();
  if (closed->from != Side::kServer || closed->by_proxy) return;
  if (session.first_closer != Side::kServer) return;
  if (session.quit_sent || session.hangup_code != 0) return;
  if (session.last_command.verb != Verb::kRset) return;

  const bool answered = session.last_reply.entry > session.last_command.entry;
  const Duration since =
      context.now() - (answered ? session.last_reply.last : session.last_command.last);
  if (answered) {
    constexpr Duration kAtOnce = std::chrono::milliseconds(100);
    if (session.last_reply.code / 100 != 2 || since > kAtOnce) return;
  } else if (since < context.rtt()) {
    return;  // decided before the RSET can have reached it
  }

  Finding finding = context.finding();
  finding.text = fmt::format("the server closed the connection {} after {} RSET, without 421",
                             duration_text(since), answered ? "its answer to" : "receiving");
  finding.entries = {session.last_command.entry};
  if (answered) finding.entries.push_back(session.last_reply.entry);
  finding.attributes = {{"after", seconds_text(since)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kRsetServerClosed = {
    .id = "rset-server-closed",
    .category = Category::kTransaction,
    .severity = Severity::kError,
    .fault = Fault::kServer,
    .title = "The server hung up because of RSET",
    .means =
        "A server must not close the connection because it received RSET. This usually is a "
        "device in between, or a limit in the server (too many commands without mail) that "
        "hangs up without the 421 it owes.\n"
        "What to do: read the server's log for this moment; look for a limit on non-mail "
        "commands; record on the server host to see who sent the close.",
    .caveats =
        "If the close came sooner after the RSET than one round trip takes, the server had "
        "decided before it saw the RSET.",
    .reference = "RFC 5321 4.1.1.5, 3.8",
    .triggers = kOnClose,
    .evaluate = evaluate,
};

}  // namespace smtpscope
