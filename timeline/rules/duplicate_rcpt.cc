#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "parser/path.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace duplicate_rcpt {
namespace {

void evaluate(RuleContext& context) {
  const PendingExchange* rcpt = context.answered();
  const Transaction* txn = context.transaction();
  if (rcpt == nullptr || txn == nullptr || rcpt->transaction != txn->number) return;
  if (rcpt->recipient == 0 || rcpt->recipient >= txn->recipients.size()) return;
  const Recipient& again = txn->recipients[rcpt->recipient];
  if (again.path.empty()) return;

  const Recipient* first = nullptr;
  std::size_t same = 0;  // named before in the very same way
  for (std::size_t i = 0; i < rcpt->recipient; ++i) {
    const Recipient& earlier = txn->recipients[i];
    // Paths are equal without regard to case if they are equal at all.
    if (!equal_ignoring_case(earlier.path, again.path)) continue;
    // One that was refused, and is named again, is a second try.
    if (earlier.code >= 400) continue;
    const bool equal = equal_paths(earlier.path, again.path);
    if (equal) ++same;
    if (first == nullptr || (equal && same == 1)) first = &earlier;
  }
  if (first == nullptr || same > 1) return;  // told when it came the second time

  Finding finding = context.finding();
  finding.time = rcpt->first;
  finding.entries = {first->entry, rcpt->entry, context.entry()->number};
  finding.attributes = {{"first_reply", std::to_string(first->code)},
                        {"second_reply", std::to_string(again.code)}};
  if (same == 0) {
    finding.variant = "case-only";
    finding.text = fmt::format(
        "<{}> and <{}>, named before, differ only in case; the server answered {} and {}",
        again.path, first->path, first->code, again.code);
  } else {
    finding.text = fmt::format("<{}> was named twice; the server answered {} and {}", again.path,
                               first->code, again.code);
  }
  if (context.session().hello == SessionState::Hello::kLhlo && again.code / 100 == 2) {
    finding.text += "; in LMTP each of them is owed a reply of its own after the message";
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace duplicate_rcpt

const Rule kDuplicateRcpt = {
    .id = "duplicate-rcpt",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "One recipient was named twice in a transaction",
    .means =
        "The client side named the same address in two RCPT commands of one mail, and the server "
        "had taken the first. Many servers notice and deliver once; others deliver two copies.\n"
        "Variant case-only: the two differ only in upper and lower case in front of the @. By the "
        "standard they may be two mailboxes; hardly any server makes that difference.",
    .causes =
        "The address stands in To and in Cc, or in two lists, and the program did not compare.\n"
        "An alias on the client side that leads to the same address twice.\n"
        "List software that does it on purpose.",
    .tell_apart =
        "Compare the header of the message: if the address stands there twice, the program took "
        "its recipients from it without comparing. If it stands there once, look for aliases and "
        "lists.",
    .advice =
        "Ask the recipient whether two copies came; if not, the server takes care of it.\n"
        "Remove the address from one of the two fields or lists.\n"
        "Let the program compare its recipients before it sends.",
    .caveats =
        "The address may have been refused in the meantime for another reason; both replies are "
        "told.",
    .reference = "RFC 5321 2.4, 3.3; RFC 2033 4.2",
    .triggers = kOnReply,
    .verbs = verbs(Verb::kRcpt),
    .evaluate = duplicate_rcpt::evaluate,
};

}  // namespace smtpscope
