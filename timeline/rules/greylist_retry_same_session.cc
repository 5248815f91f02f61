#include <fmt/format.h>

#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/deferral_words.h"
#include "timeline/state/history_notes.h"
#include "timeline/state/run_history.h"

namespace smtpscope {
namespace greylist_retry_same_session {
namespace {

// Told with the refusal of the second try, not at the session's end: by then it is clear that it
// was none that passed, and whoever watches can still stop the client. Once in a session.
void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  if (!may_greylist(reply.code) || context.fired(kGreylistTempfail) == 0) return;
  if (context.fired(kGreylistRetrySameSession) > 0) return;
  const PendingExchange* asked = context.answered();
  const Transaction* txn = context.transaction();
  if (asked == nullptr || txn == nullptr || txn->number != asked->transaction) return;
  if (asked->recipient >= txn->recipients.size()) return;
  const std::string& path = txn->recipients[asked->recipient].path;
  const DeferralRecord* first = context.history().find_deferral(
      deferral_triple(context.session().client_host, txn->reverse_path, path));
  if (first == nullptr || first->session != context.session_number()) return;
  const Duration wait = asked->first - first->time;
  if (wait > context.threshold(Threshold::kGreylistRetryWithin)) return;
  if (deferral_words(reply) == DeferralWords::kNone) return;

  Finding finding = context.finding();
  const RsetRun* run = context.session().rset_run.get();
  const bool reset = run != nullptr && run->last >= first->time;
  finding.text = fmt::format(
      "<{}> was put off and named again only {} later on the same connection{}, and put off again: "
      "greylisting takes minutes",
      path, context.measured(wait), reset ? ", with RSET between" : "");
  finding.entries = {asked->entry, context.entry()->number};
  finding.attributes = {{"after", seconds_text(wait)},
                        {"code", std::to_string(reply.code)},
                        {"reset_between", reset ? "true" : "false"}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace greylist_retry_same_session

const Rule kGreylistRetrySameSession = {
    .id = "greylist-retry-same-session",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .uses = kNeedsHistory,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kRcpt),
    .only = kRefusal,
    .evaluate = greylist_retry_same_session::evaluate,
};

}  // namespace smtpscope
