#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/offered.h"

namespace smtpscope {
namespace eightbit_without_8bitmime {
namespace {

void fire(RuleContext& context, std::string_view variant, Severity severity, std::uint64_t octets,
          std::string_view story) {
  Finding finding = context.finding();
  finding.variant = variant;
  finding.severity = severity;
  finding.text = fmt::format("{} of the message {} above 127{}", counted(octets, "octet"),
                             octets == 1 ? "is" : "are", story);
  finding.entries = {context.ended()->first_entry, context.ended()->data_entry};
  finding.attributes = {{"eight_bit_octets", std::to_string(octets)}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  const MessageFacts& facts = ended->facts;
  if (facts.eight_bit == 0 || !ended->data_sent) return;
  using Body = DeclaredMessage::Body;
  const DeclaredMessage& declared = ended->declared;
  const std::uint64_t in_header = facts.header.eight_bit;
  if (in_header > 0 && !declared.utf8) {
    fire(context, "header", Severity::kWarning, in_header,
         " in its header section, without SMTPUTF8 in MAIL: header text has to be encoded");
  }
  // RFC 6531 3.6: SMTPUTF8 implies 8BITMIME.
  const bool agreed =
      declared.utf8 || (declared.body != Body::kNone && declared.body != Body::kSevenBit);
  if (facts.eight_bit <= in_header || agreed) return;
  if (!offers_known(context)) {
    context.not_evaluated(kOffersUnknown);
    return;
  }
  const std::uint64_t in_body = facts.eight_bit - in_header;
  if (!context.conversation().capabilities().has("8BITMIME")) {
    fire(context, "unadvertised", Severity::kWarning, in_body,
         " in its body, and the server does not offer 8BITMIME");
  } else if (declared.body == Body::kSevenBit) {
    fire(context, "undeclared", Severity::kNotice, in_body,
         " in its body, although MAIL declared BODY=7BIT");
  } else {
    fire(context, "undeclared", Severity::kNotice, in_body,
         " in its body, and MAIL did not declare BODY=8BITMIME");
  }
}

}  // namespace
}  // namespace eightbit_without_8bitmime

const Rule kEightbitWithout8bitmime = {
    .id = "eightbit-without-8bitmime",
    .category = Category::kExtension,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .needs = kNeedsContent | kNeedsOctets | kNeedsReplyLines,
    .triggers = kOnTransactionEnd,
    .evaluate = eightbit_without_8bitmime::evaluate,
};

}  // namespace smtpscope
