#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace text_line_too_long {
namespace {

void evaluate(RuleContext& context) {
  const Transaction& txn = *context.ended();
  const MessageFacts& facts = txn.facts;
  if (facts.longest_line <= kLongestTextLine) return;
  if (txn.data_verb != Verb::kData || txn.mixed_data) return;  // BDAT knows no lines

  Finding finding = context.finding();
  finding.entries = {txn.data_entry};
  finding.time = txn.data_began;
  if (facts.longest_line > context.threshold_count(Threshold::kTextLineError)) {
    finding.severity = Severity::kError;
  } else if (facts.longest_line > context.threshold_count(Threshold::kTextLineWarning)) {
    finding.severity = Severity::kWarning;
  }
  finding.text = fmt::format("the longest line of the message has {} octets, {} are allowed",
                             facts.longest_line, kLongestTextLine);
  finding.attributes = {{"longest", std::to_string(facts.longest_line)}};
  if (facts.long_lines > 0) {
    finding.text += fmt::format("; {} line{} too long, the first is line {}", facts.long_lines,
                                facts.long_lines == 1 ? " is" : "s are", facts.first_long_line);
    finding.attributes.emplace_back("lines", std::to_string(facts.long_lines));
    finding.attributes.emplace_back("first", std::to_string(facts.first_long_line));
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace text_line_too_long

const Rule kTextLineTooLong = {
    .id = "text-line-too-long",
    .category = Category::kSyntax,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "A line of the message is longer than allowed",
    .means =
        "A line of a message may have 1000 octets, CR LF included. This message has longer ones. "
        "Servers on the way may break them, cut them off or refuse the message. A line that is "
        "broken in a wrong place shows as damaged text, a broken picture, or a signature (DKIM) "
        "that no longer fits. The longer the line, the likelier; above 2048 octets this is a "
        "warning, above 65536 an error.",
    .causes =
        "An HTML text without line breaks, from a device or a web application.\n"
        "base64 that was not broken into lines.\n"
        "A log or a table sent as plain text.",
    .tell_apart =
        "See which line it is: one of the first is a header field (a long list of recipients or "
        "references), a later one is text or an attachment.",
    .advice =
        "Let the program encode the text as quoted-printable or base64, with lines of at most 76 "
        "characters.\n"
        "Header fields can be folded over several lines.",
    .caveats = "Messages sent with BDAT are not judged.",
    .reference = "RFC 5321 4.5.3.1.6; RFC 6152 2",
    .needs = kNeedsContent,
    .triggers = kOnTransactionEnd,
    .evaluate = text_line_too_long::evaluate,
};

}  // namespace smtpscope
