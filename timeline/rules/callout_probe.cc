#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
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

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || !ended->reverse_path.empty()) return;
  if (ended->rcpt_sent != 1 || ended->rcpt_accepted != 1) return;
  if (ended->data_verb != Verb::kUnknown || !ends_a_probe(ended->aborted_by)) return;
  if (context.session().null_sender_data) return;  // this sender did send a message

  Finding finding = context.finding();
  const TransactionSummary* before = context.session().previous.get();
  if (!ended->recipients.empty() && is_postmaster(ended->recipients.front().path)) {
    finding.variant = "postmaster";
  } else if (before != nullptr && before->null_sender && before->rcpt_sent == 1 &&
             before->data_verb == Verb::kUnknown && before->aborted_by == AbortedBy::kRset) {
    finding.variant = "catch-all-test";
  }
  finding.text =
      "null sender, one accepted recipient, no message: this looks like a check whether the "
      "address "
      "exists";
  finding.entries = {ended->first_entry};
  if (ended->last_entry != 0) finding.entries.push_back(ended->last_entry);
  context.fire(std::move(finding));
}

}  // namespace

const Rule kCalloutProbe = {
    .id = "callout-probe",
    .category = Category::kTransaction,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .title = "An address was checked, no mail was meant to be sent",
    .means =
        "The null sender, one recipient that the server accepted, then the end without a "
        "message: this is how mail servers (and list cleaners and address harvesters) test "
        "whether an address exists.\n"
        "Nothing is wrong unless these probes are many; then ask the operator of the client to "
        "cache results.",
    .caveats =
        "A bounce that is broken off at this point looks the same. Verifying servers may also "
        "use a sender of their own instead of the null one.",
    .reference = "RFC 5321 4.5.5; Exim callouts, Postfix address_verify_sender",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
