#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace data_without_rcpt {
namespace {

std::string why_nobody(const Transaction* txn) {
  if (txn == nullptr) return "outside any transaction";
  if (txn->rcpt_sent == 0) return "without naming a recipient";
  return fmt::format("although none of {} had been accepted", counted(txn->rcpt_sent, "recipient"));
}

void fire_empty(RuleContext& context, const Transaction& txn) {
  Finding finding = context.finding();
  finding.variant = "empty";
  finding.severity = Severity::kNotice;
  finding.text = fmt::format("the message has no octets at all, though {} had been accepted",
                             counted(txn.rcpt_accepted, "recipient"));
  finding.entries.push_back(txn.first_entry);
  finding.attributes = {{"accepted", std::to_string(txn.rcpt_accepted)}};
  context.fire(std::move(finding));
}

void fire_nobody(RuleContext& context, const Transaction* txn, Verb verb, std::uint16_t code) {
  Finding finding = context.finding();
  const bool accepted = code < 400;
  finding.variant = accepted ? "accepted-354" : "rejected";
  finding.text = fmt::format("the client side sent {} {}; the server answered {}", to_string(verb),
                             why_nobody(txn), code);
  if (accepted) finding.text += ", which it should only do if there is a recipient to deliver to";
  finding.attributes = {{"code", std::to_string(code)}};
  if (txn != nullptr) {
    finding.entries.push_back(txn->first_entry);
    finding.entries.push_back(txn->refusal_entry);
    finding.attributes.emplace_back("refused", std::to_string(txn->rcpt_refused));
  }
  if (const PendingExchange* sent = context.answered()) finding.entries.push_back(sent->entry);
  context.fire(std::move(finding));
}

/// MAIL was refused with this command already on its way: the client could not know.
bool crossed_a_refused_mail(const RuleContext& context, const PendingExchange& sent) {
  const TransactionSummary* before = context.session().previous.get();
  return sent.pending_before > 0 && before != nullptr && before->mail_code >= 400;
}

void on_reply(RuleContext& context) {
  const Reply& reply = *context.reply();
  const SessionState& session = context.session();
  const PendingExchange* sent = context.answered();
  if (sent == nullptr || sent->kind != Answers::kCommand) return;
  if (reply.code == 421 || reply.code == 521) return;
  if (session.greeting == SessionState::Greeting::kRefused) return;

  const Transaction* txn = context.transaction();
  if (txn != nullptr && txn->number != sent->transaction) txn = nullptr;
  const LastReply& before = session.last_reply;
  const bool follows_chunk = (before.verb == Verb::kBdat || before.verb == Verb::kBurl) &&
                             before.answers == Answers::kCommand;
  if (txn != nullptr && txn->rcpt_accepted > 0) {
    if (sent->verb == Verb::kBdat && sent->ends_message && txn->data_sent && txn->octets() == 0 &&
        !txn->facts.unseen && !follows_chunk) {
      fire_empty(context, *txn);
    }
    return;
  }
  if (txn == nullptr) {
    if (sent->transaction != 0 || crossed_a_refused_mail(context, *sent)) return;
  } else if (sent->pending_before > 0 && txn->rcpt_sent > 0) {
    return;  // RFC 2920 3.1: sent in the hope of a yes. What the client does next tells.
  }
  if (session.holes > 0 || (session.mid_session && txn == nullptr)) {
    context.not_evaluated("parts of the session are not in the trace");
    return;
  }
  if (sent->verb == Verb::kBdat && follows_chunk) return;  // told of the chunk before
  fire_nobody(context, txn, sent->verb, reply.code);
}

void on_data(RuleContext& context) {
  const auto* data = std::get_if<MailData>(&context.entry()->item->body);
  const Transaction* txn = context.transaction();
  if (data == nullptr || txn == nullptr || data->missing_octets > 0) return;
  if (data->end != DataEnd::kStrict && data->end != DataEnd::kCandidate) return;
  if (txn->rcpt_accepted > 0) {
    if (data->facts.octets == 0 && !data->facts.unseen) fire_empty(context, *txn);
    return;
  }
  // A lone dot is how a pipelining client gets out of it (RFC 2920 3.1); content is not.
  const bool in_hope = txn->data_pipelined && txn->rcpt_sent > 0;
  if (in_hope && data->facts.octets > 0 && txn->data_code / 100 == 3 &&
      context.session().holes == 0) {
    fire_nobody(context, txn, Verb::kData, txn->data_code);
  }
}

void evaluate(RuleContext& context) {
  if (context.reply() != nullptr) {
    on_reply(context);
  } else {
    on_data(context);
  }
}

}  // namespace
}  // namespace data_without_rcpt

const Rule kDataWithoutRcpt = {
    .id = "data-without-rcpt",
    .category = Category::kSequencing,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .triggers = kOnReply | kOnData,
    .verbs = verbs(Verb::kData, Verb::kBdat, Verb::kBurl),
    .evaluate = data_without_rcpt::evaluate,
};

}  // namespace smtpscope
