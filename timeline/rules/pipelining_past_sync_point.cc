#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace pipelining_past_sync_point {
namespace {

// Which commands end a group: timeline/state/pipelining_notes.cc. Commands that nobody knows are
// left out there, for what may follow them is not known either.
void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  const PipelinedRun* run = session.pipelined_run.get();
  if (run == nullptr || run->ended || run->beyond == 0) return;
  if (context.reply() != nullptr && context.reply()->owed_after > 0) return;  // the group goes on
  if (session.holes > 0) {
    context.not_evaluated("replies may be missing from the trace");
    return;
  }
  Finding finding = context.finding();
  const std::string_view last = to_string(run->group_end);
  finding.text = fmt::format(
      "the client side sent {} after {} without waiting for its reply, although {} has "
      "to be the last of a pipelined group",
      counted(run->beyond, "command"), last, last);
  finding.entries = {run->group_end_entry, run->first_beyond};
  finding.attributes = {{"behind", std::string(last)}, {"commands", std::to_string(run->beyond)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace pipelining_past_sync_point

const Rule kPipeliningPastSyncPoint = {
    .id = "pipelining-past-sync-point",
    .category = Category::kSequencing,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsReadTimes,
    .triggers = kOnReply | kOnSessionEnd,
    .only = kPipelined,
    .evaluate = pipelining_past_sync_point::evaluate,
};

}  // namespace smtpscope
