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
  // It took what the server said for the greeting, and cannot be blamed for that.
  if (session.greeted_oddly) return;
  const Command& command = *context.command();
  if (command.pending_before == 0) return;
  // A client that has waited for the greeting in vain takes its leave: that is no haste.
  if (command.verb == Verb::kQuit) return;

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
    .needs = kNeedsReadTimes,
    .triggers = kOnCommand,
    .only = kPipelined,
    .evaluate = client_talks_first::evaluate,
};

}  // namespace smtpscope
