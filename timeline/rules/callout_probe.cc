#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/envelope_hash.h"

namespace smtpscope {
namespace callout_probe {
namespace {

bool ends_a_probe(AbortedBy cause) {
  return cause == AbortedBy::kRset || cause == AbortedBy::kQuit ||
         cause == AbortedBy::kClientClose || cause == AbortedBy::kReset;
}

/// RFC 5321 4.5.1: "postmaster" is compared without regard to case.
bool is_postmaster(std::string_view path) {
  constexpr std::string_view kPostmaster = "postmaster";
  if (path.size() < kPostmaster.size()) return false;
  if (path.size() > kPostmaster.size() && path[kPostmaster.size()] != '@') return false;
  return std::equal(kPostmaster.begin(), kPostmaster.end(), path.begin(),
                    [](char want, char got) { return want == (got | 0x20); });
}

/// The transaction before asked the same of another address in the same domain: one of the two is
/// meant not to exist, to learn whether the domain takes everything.
bool tests_for_catch_all(const TransactionSummary* before, const Transaction& ended) {
  return before != nullptr && before->null_sender && before->rcpt_sent == 1 &&
         before->data_verb == Verb::kUnknown && before->aborted_by == AbortedBy::kRset &&
         before->envelope_hash != ended.envelope_hash && before->domain_hash != 0 &&
         before->domain_hash == domain_hash(ended.recipients.front().path);
}

// The catalogue also allows a configured probe sender, and asks that no message of this sender
// comes in the whole session. There is no such setting, and what comes later is not known yet. How
// long the connection lives decides nothing.
void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || !ended->reverse_path.empty()) return;
  if (ended->rcpt_sent != 1 || ended->rcpt_accepted != 1 || ended->recipients.empty()) return;
  if (ended->data_verb != Verb::kUnknown || !ends_a_probe(ended->aborted_by)) return;
  if (context.session().null_sender_data) return;  // this sender did send a message

  Finding finding = context.finding();
  if (is_postmaster(ended->recipients.front().path)) {
    finding.variant = "postmaster";
  } else if (tests_for_catch_all(context.session().previous.get(), *ended)) {
    finding.variant = "catch-all-test";
  }
  finding.text = fmt::format(
      "null sender, one accepted recipient, no message: this looks like a check whether {} "
      "exists{}",
      ended->recipients.front().path,
      finding.variant == "catch-all-test" ? ", after another address of that domain" : "");
  finding.entries = {ended->first_entry, ended->recipients.front().entry, ended->last_entry};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace callout_probe

const Rule kCalloutProbe = {
    .id = "callout-probe",
    .category = Category::kTransaction,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .certainty = Certainty::kPossible,
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = callout_probe::evaluate,
};

}  // namespace smtpscope
