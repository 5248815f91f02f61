#include <fmt/format.h>

#include <utility>

#include "timeline/duration_text.h"
#include "timeline/history_notes.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/deferral_words.h"
#include "timeline/run_history.h"

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
    .title = "The client side tried again at once what the server had put off for minutes",
    .means =
        "The server had put this sender and recipient off, and the client side named them again on "
        "the same connection within a minute. That cannot help against greylisting, and some "
        "servers count it against the client. Programs that try a few times in a row and then give "
        "up lose the mail.",
    .causes =
        "A program without a queue that takes any failure for a glitch and tries again.\n"
        "A scanner or relay between the application and the server that does so.",
    .tell_apart =
        "If the application's log shows one try only, something between it and the server makes "
        "the others.",
    .advice =
        "Let the client wait before it tries again: half an hour is what the standard asks for, "
        "and ten minutes are enough for most greylisting.\n"
        "Let it send through a mail server that keeps a queue.",
    .caveats =
        "It is told once in a session, with the second try. If a later one is accepted within the "
        "minute, greylist-tempfail says so: then it was a trouble that passed.",
    .reference = "RFC 5321 4.5.4.1, 4.2.1",
    .uses = kNeedsHistory,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kRcpt),
    .only = kRefusal,
    .evaluate = greylist_retry_same_session::evaluate,
};

}  // namespace smtpscope
