#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/reaction.h"

namespace smtpscope {
namespace client_talks_first {
namespace {

// A PROXY header and TLS records are no commands and never come here. That smtpscope stands in the
// middle makes this certain: the client can have read nothing that had not arrived here before.
void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  // Of the first command's first octet; what else than the greeting could be owed there?
  if (session.last_command.entry != 0 || session.mid_session) return;
  const Command& command = *context.command();
  if (command.pending_before == 0) return;

  const Entry& entry = *context.entry();
  const Duration lead = entry.first - session.opened;
  Finding finding = context.finding();
  finding.text = fmt::format(
      "the client side spoke {} after it had connected, before the greeting was complete",
      duration_text(lead));
  if (!command.text.empty()) finding.text += fmt::format(": \"{}\"", excerpt(command.text));
  finding.attributes = {{"lead", seconds_text(lead)},
                        {"octets", std::to_string(entry.item->end - entry.item->begin)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace client_talks_first

const Rule kClientTalksFirst = {
    .id = "client-talks-first",
    .category = Category::kSequencing,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .title = "The client did not wait for the greeting",
    .means =
        "In SMTP the server speaks first, and the client waits until the greeting is complete. "
        "Software that sends spam often saves itself that wait, so many servers take talking first "
        "as a sign of it: they delay the greeting, watch who cannot wait, and then refuse the "
        "session or hang up.",
    .causes =
        "A program or script that blindly writes its commands into the connection.\n"
        "A health check or a scanner that expects another protocol, such as HTTP.\n"
        "Software that sends spam.\n"
        "A client that remembers from an earlier session that this server lets it speak at once.",
    .tell_apart =
        "Look at what it said. Proper commands come from a mail program or script, a line of "
        "another protocol from a check or a scanner.",
    .advice =
        "Make the client read the whole greeting, all lines of it, before it writes.\n"
        "If it is a health check, let it speak SMTP or only connect.\n"
        "If it cannot be changed, exempt its address from the server's greeting test.",
    .caveats =
        "Some servers offer their clients a keyword that allows this for later sessions (Exim: "
        "PIPECONNECT). A session seen alone does not show that.",
    .reference = "RFC 5321 4.3.1; Postfix POSTSCREEN_README",
    .needs = kNeedsReadTimes,
    .triggers = kOnCommand,
    .only = kPipelined,
    .evaluate = client_talks_first::evaluate,
};

}  // namespace smtpscope
