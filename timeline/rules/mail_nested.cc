#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/reaction.h"

namespace smtpscope {
namespace mail_nested {
namespace {

void evaluate(RuleContext& context) {
  const Transaction* txn = context.transaction();
  if (txn == nullptr || txn->nested_in == 0) return;
  const SessionState& session = context.session();
  if (session.holes > 0) {
    context.not_evaluated("what ended the transaction before may be missing from the trace");
    return;
  }
  Finding finding = context.finding();
  finding.text = fmt::format("the client side began a new transaction with {} in the middle of {}",
                             to_string(context.command()->verb), txn->nested_in);
  const LastReply& reply = session.last_reply;
  if (reply.verb == Verb::kData && reply.answers == Answers::kCommand && reply.code >= 400) {
    finding.text += fmt::format(", after DATA had been refused with {}", reply.code);
    finding.entries.push_back(reply.entry);
  }
  finding.attributes = {{"open", std::to_string(txn->nested_in)}};
  context.fire_when_answered(std::move(finding));
}

bool answered(RuleContext& context, Finding& finding) {
  const Reply& reply = *context.reply();
  const SessionState& session = context.session();
  if (session.greeting == SessionState::Greeting::kRefused) return false;
  // Sent before the first MAIL had its answer, which then was a refusal: nothing was open.
  const Transaction* txn = context.transaction();
  if (txn == nullptr || finding.transaction != txn->number) return false;
  if (session.previous != nullptr && session.previous->number >= txn->nested_in) return false;

  const Transaction* dropped = context.ended();
  if (reply.first_digit() != 2 || dropped == nullptr || dropped->number != txn->nested_in) {
    tell_reaction(reply, finding);
    return true;
  }
  // RFC 5321 4.1.4 leaves the transaction open behind a refused DATA. Servers that close it then
  // are not few, and with them this client is right.
  if (dropped->data_code >= 400) finding.severity = Severity::kNotice;
  finding.text += fmt::format("; the server took it ({}) and forgot the {} accepted before",
                              reply.code, counted(dropped->rcpt_accepted, "recipient"));
  finding.entries.push_back(dropped->first_entry);
  finding.attributes.emplace_back("reply", std::to_string(reply.code));
  finding.attributes.emplace_back("dropped", std::to_string(dropped->rcpt_accepted));
  return true;
}

}  // namespace
}  // namespace mail_nested

const Rule kMailNested = {
    .id = "mail-nested",
    .category = Category::kSequencing,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .triggers = kOnCommand,
    .verbs = verbs(Verb::kMail, Verb::kSend, Verb::kSoml, Verb::kSaml),
    .evaluate = mail_nested::evaluate,
    .answered = mail_nested::answered,
};

}  // namespace smtpscope
