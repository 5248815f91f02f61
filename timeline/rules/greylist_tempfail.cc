#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/deferral_words.h"
#include "timeline/state/history_notes.h"
#include "timeline/state/run_history.h"

namespace smtpscope {
namespace greylist_tempfail {
namespace {

/// A recipient that was put off before is accepted now.
void evaluate_acceptance(RuleContext& context, const Transaction& txn, const Recipient& accepted) {
  if (!context.history().has_deferrals()) return;
  const DeferralRecord* deferral = context.history().find_deferral(
      deferral_triple(context.session().client_host, txn.reverse_path, accepted.path));
  // A 421 or 452 that is over was a server that was busy, or full.
  if (deferral == nullptr || (deferral->code != 450 && deferral->code != 451)) return;
  const bool here = deferral->session == context.session_number();
  const Duration age = context.entry()->first - deferral->time;
  Finding finding = context.finding();
  // Nobody greylists for so short a time.
  const bool too_soon = here && age < context.threshold(Threshold::kGreylistRetryWithin);
  finding.variant = too_soon ? "transient" : "passed";
  finding.certainty = too_soon ? Certainty::kPossible : Certainty::kLikely;
  finding.text =
      fmt::format("<{}> was deferred with {} {} ago in {}, and is accepted now: {}", accepted.path,
                  deferral->code, context.measured(age),
                  here ? "this session" : fmt::format("session {}", deferral->session),
                  too_soon ? "a trouble that passed, hardly greylisting" : "greylisting");
  finding.entries = {context.answered()->entry, context.entry()->number};
  finding.attributes = {{"deferred_session", std::to_string(deferral->session)},
                        {"code", std::to_string(deferral->code)},
                        {"after", seconds_text(age)}};
  context.fire(std::move(finding));
}

/// Only the first of a transaction's recipients that are put off is told.
bool put_off_before(const Transaction& txn, std::size_t recipient) {
  return std::any_of(txn.recipients.begin(),
                     txn.recipients.begin() + static_cast<std::ptrdiff_t>(recipient),
                     [](const Recipient& each) { return may_greylist(each.code); });
}

void evaluate_reply(RuleContext& context) {
  const PendingExchange* asked = context.answered();
  const Reply& reply = *context.reply();
  if (asked == nullptr) return;
  const bool about_recipient = asked->verb == Verb::kRcpt && asked->kind == Answers::kCommand;
  const bool accepted = reply.first_digit() == 2;
  if (!may_greylist(reply.code) && !(about_recipient && accepted)) return;
  const Transaction* txn = context.transaction();
  if (txn == nullptr || txn->number != asked->transaction) return;
  if (about_recipient && asked->recipient >= txn->recipients.size()) return;
  if (accepted) {
    evaluate_acceptance(context, *txn, txn->recipients[asked->recipient]);
    return;
  }
  // What is deferred behind DATA is the whole message; before it, somebody else may be served.
  if (about_recipient ? txn->rcpt_accepted > 0 || put_off_before(*txn, asked->recipient)
                      : txn->rcpt_accepted == 0) {
    return;
  }
  const DeferralWords words = deferral_words(reply);
  if (words == DeferralWords::kNone) return;
  const bool named = words == DeferralWords::kGreylist;
  Finding finding = context.finding();
  finding.variant = "deferred";
  finding.certainty = named ? Certainty::kLikely : Certainty::kPossible;
  finding.text = fmt::format(
      "the server put {} off with \"{} {}\": {}; a client with a queue comes back in some minutes, "
      "one without loses this mail",
      about_recipient ? "the recipient" : "the message", reply.code, reply.lines.back().text,
      named ? "greylisting, by its own words" : "perhaps greylisting, perhaps a passing trouble");
  finding.entries = {asked->entry, context.entry()->number};
  finding.attributes = {{"code", std::to_string(reply.code)}};
  context.fire(std::move(finding));
}

/// The session is over, and its last transaction was put off. Of later sessions nothing is known.
void evaluate_end(RuleContext& context) {
  const TransactionSummary* last = context.session().previous.get();
  if (last == nullptr || last->outcome != Outcome::kRejected) return;
  const std::uint16_t code = last->final_code != 0 ? last->final_code : last->refusal_code;
  if (!may_greylist(code) || context.fired(kGreylistTempfail) == 0) return;
  if (!context.session().closes[index(Side::kClient)]) return;
  Finding finding = context.finding();
  finding.variant = "left";
  finding.certainty = Certainty::kPossible;
  finding.transaction = last->number;
  finding.text = fmt::format(
      "the session ended and transaction {} was not tried again in it: unless the client side "
      "comes back by itself, this mail is lost",
      last->number);
  finding.entries = {last->first_entry};
  finding.attributes = {{"code", std::to_string(code)}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.entry() == nullptr) {
    evaluate_end(context);
  } else {
    evaluate_reply(context);
  }
}

}  // namespace
}  // namespace greylist_tempfail

const Rule kGreylistTempfail = {
    .id = "greylist-tempfail",
    .category = Category::kTransaction,
    .severity = Severity::kInfo,
    .fault = Fault::kServer,
    .uses = kNeedsHistory,
    .triggers = kOnReply | kOnSessionEnd,
    .verbs = verbs(Verb::kRcpt, Verb::kData, Verb::kBdat),
    .evaluate = greylist_tempfail::evaluate,
};

}  // namespace smtpscope
