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
    .triggers = kOnReply,
    .verbs = verbs(Verb::kRcpt),
    .evaluate = duplicate_rcpt::evaluate,
};

}  // namespace smtpscope
