#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace pipelining_past_sync_point {
namespace {

// Which commands end a group: timeline/pipelining_notes.cc. Commands that nobody knows are left
// out there, for what may follow them is not known either.
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
      "the client side sent {} command{} behind {} without waiting for its reply, although {} has "
      "to be the last of a pipelined group",
      run->beyond, run->beyond == 1 ? "" : "s", last, last);
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
    .title = "The client sent commands behind one that it has to wait for",
    .means =
        "PIPELINING lets a client send several commands in one go, but some commands must be the "
        "last of such a group, because their answer decides what follows: EHLO, DATA, AUTH, "
        "STARTTLS, VRFY, NOOP and others. What comes behind them may be thrown away, taken for "
        "something else, or executed; servers differ.",
    .causes =
        "A client that takes PIPELINING to mean that anything may follow anything.\n"
        "A script that writes all its commands at once.\n"
        "Behind STARTTLS: somebody in between who wants commands executed as if they had come "
        "through TLS.",
    .tell_apart =
        "If the same client does it in every session it is the client. If it happens only behind "
        "STARTTLS, and the client's own log shows no such commands, look at the path.",
    .advice =
        "Make the client wait for the reply to the command named above.\n"
        "Or let the client not use PIPELINING: that costs a few round trips and nothing else.",
    .caveats =
        "NOOP is meant to be used as the last command of a group; only what comes behind it "
        "counts. Many servers tolerate commands behind VRFY or NOOP.",
    .reference = "RFC 2920 3.1; RFC 3207 4; RFC 4954 4",
    .needs = kNeedsReadTimes,
    .triggers = kOnReply | kOnSessionEnd,
    .only = kPipelined,
    .evaluate = pipelining_past_sync_point::evaluate,
};

}  // namespace smtpscope
