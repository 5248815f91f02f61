#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace rejected_after_data {
namespace {

/// The worst answer to the message: LMTP and PRDR give one for each recipient (RFC 2033 4.2).
std::uint16_t worst_final(const Transaction& ended) {
  std::uint16_t worst = ended.final_code;
  for (const Recipient& each : ended.recipients) worst = std::max(worst, each.final_code);
  return worst;
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->data_sent || ended->final_code == 0) return;
  const std::uint64_t refused = ended->finals - ended->finals_accepted;
  if (refused == 0) return;
  if (ended->rcpt_accepted == 0) return;  // nobody to send to: the refusals are the diagnosis
  const std::uint16_t code = worst_final(*ended);
  const int digit = code / 100;
  if (digit != 4 && digit != 5) return;

  Finding finding = context.finding();
  finding.severity = digit == 4 ? Severity::kNotice : Severity::kWarning;
  finding.variant = digit == 4 ? "temporary" : "permanent";
  finding.entries = {ended->first_entry, ended->final_entry};
  finding.attributes = {{"code", std::to_string(code)}};
  if (!ended->facts.unseen) {
    finding.attributes.emplace_back("octets", std::to_string(ended->facts.octets));
  }
  if (ended->finals > 1) {
    finding.text = fmt::format(
        "the server received the message and refused it for {} of {} recipients, with {}", refused,
        ended->finals, code);
    finding.attributes.emplace_back("refused", std::to_string(refused));
  } else {
    finding.text = fmt::format("the server received the message and refused it: \"{} {}\"", code,
                               ended->final_text);
  }
  // RFC 1870 6.3: a server that agreed to the declared size must not answer 552 to the message
  // unless that is larger than declared. With octets missing from the trace its size is not known.
  const auto declared = ended->declared.size;
  const bool size_known = context.session().holes == 0 && !ended->facts.unseen;
  if (code == 552 && declared && size_known && ended->facts.octets <= *declared) {
    finding.variant = "size-promised";
    finding.text += fmt::format(
        ", although it had agreed to SIZE={} and the message has {} octets: RFC 1870 6.3 forbids "
        "that",
        *declared, ended->facts.octets);
    finding.attributes.emplace_back("declared", std::to_string(*declared));
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace rejected_after_data

const Rule kRejectedAfterData = {
    .id = "rejected-after-data",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .triggers = kOnTransactionEnd,
    .evaluate = rejected_after_data::evaluate,
};

}  // namespace smtpscope
