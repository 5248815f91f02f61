#include <fmt/format.h>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace rset_noop {
namespace {

using Hello = SessionState::Hello;

/// Where the RSET stood. Whether QUIT follows is not known when the reply comes, unless QUIT was
/// pipelined behind it: waiting for the next command would tell the user of a no-op minutes late.
std::string_view where(const RuleContext& context) {
  const SessionState& session = context.session();
  if (session.last_command.verb == Verb::kQuit) return "before-quit";
  if (session.hello == Hello::kNone) return session.mid_session ? "between" : "before-hello";
  const LastReply& before = session.last_reply;
  const bool accepted = before.code / 100 == 2;
  // RFC 5321 4.1.1.5: equal to NOOP "immediately after EHLO, before EHLO is issued, after an
  // end of data indicator has been sent and acknowledged, or immediately before a QUIT".
  switch (before.verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      return accepted ? "after-hello" : "between";
    case Verb::kData:
    case Verb::kBdat:
    case Verb::kBurl:
      return session.previous != nullptr && session.previous->last_entry == before.entry
                 ? "after-message"
                 : "between";
    default:
      return "between";
  }
}

std::string_view in_words(std::string_view variant) {
  if (variant == "before-quit") return "right before QUIT";
  if (variant == "before-hello") return "before any EHLO or HELO";
  if (variant == "after-hello") return "right after EHLO or HELO";
  if (variant == "after-message") return "after the end of a message";
  return "with no transaction open";
}

/// The trace began in mid-session and has shown nothing yet that would end a transaction.
bool may_be_inside_one(const SessionState& session) {
  return session.mid_session && session.hello == Hello::kNone && session.transactions == 0 &&
         (session.rset_run == nullptr || session.rset_run->count <= 1);
}

void evaluate(RuleContext& context) {
  if (!context.answers(Verb::kRset) || context.reply()->first_digit() != 2) return;
  if (context.ended() != nullptr || context.transaction() != nullptr) return;
  if (may_be_inside_one(context.session())) {
    context.not_evaluated("a transaction may have begun before the trace did");
    return;
  }

  Finding finding = context.finding();
  finding.variant = where(context);
  finding.text = fmt::format("RSET had nothing to reset: it came {}", in_words(finding.variant));
  finding.entries.insert(finding.entries.begin(), context.answered()->entry);
  // The second and later RSETs of a run are told together when the run ends.
  const RsetRun* run = context.session().rset_run.get();
  if (run != nullptr && context.answered()->entry != run->entries[0]) {
    finding.folded_under = "rset-repeated";
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace rset_noop

const Rule kRsetNoop = {
    .id = "rset-noop",
    .category = Category::kTransaction,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kRset),
    .evaluate = rset_noop::evaluate,
};

}  // namespace smtpscope
