#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/counted.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace pipelining_unadvertised {
namespace {

std::string verb_list(std::uint32_t verbs) {
  std::string list;
  for (unsigned i = 1; i < kVerbSlots; ++i) {
    if ((verbs >> i & 1U) == 0) continue;
    if (!list.empty()) list += ", ";
    list += to_string(static_cast<Verb>(i));
  }
  if ((verbs & 1U) != 0) list += list.empty() ? "unknown" : ", unknown";
  return list;
}

// The catalogue asks for half a round trip to the client before this is certain. That holds for a
// trace made beside the line. Here every reply passes through: what arrived before it was passed on
// cannot have waited for it.
void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  const PipelinedRun* run = session.pipelined_run.get();
  if (run == nullptr || run->ended || run->count == 0) return;
  if (context.reply() != nullptr && context.reply()->owed_after > 0) return;  // the group goes on
  if (session.holes > 0 || (session.mid_session && session.hello == SessionState::Hello::kNone)) {
    context.not_evaluated("what the server offered is not in the trace");
    return;
  }
  Finding finding = context.finding();
  const std::string verbs = verb_list(run->verbs);
  finding.text = fmt::format(
      "the client side sent {} ({}) without waiting for the replies owed, up to {} of "
      "them; {}",
      counted(run->count, "command"), verbs, run->depth,
      session.hello == SessionState::Hello::kHelo ? "it said HELO, so there is no PIPELINING"
                                                  : "the server had not offered PIPELINING");
  finding.entries = {run->first_entry, run->last_entry};
  finding.attributes = {{"commands", std::to_string(run->count)},
                        {"depth", std::to_string(run->depth)},
                        {"verbs", verbs}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace pipelining_unadvertised

const Rule kPipeliningUnadvertised = {
    .id = "pipelining-unadvertised",
    .category = Category::kSequencing,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsReadTimes | kNeedsReplyLines,
    .triggers = kOnReply | kOnSessionEnd,
    .only = kPipelined,
    .evaluate = pipelining_unadvertised::evaluate,
};

}  // namespace smtpscope
