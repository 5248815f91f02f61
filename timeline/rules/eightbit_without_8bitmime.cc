#include <fmt/format.h>

#include <string>
#include <utility>

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
  finding.text = fmt::format("{} octet{} of the message {} above 127{}", octets,
                             octets == 1 ? "" : "s", octets == 1 ? "is" : "are", story);
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
    .title = "8-bit text was sent without the agreement that it needs",
    .means =
        "Plain SMTP carries octets up to 127 only. Umlauts, accents and everything in UTF-8 need "
        "either an encoding (quoted-printable, base64, encoded words in header fields) or the "
        "server's 8BITMIME and the client's BODY=8BITMIME.\n"
        "Without it a server may refuse the message or strip the highest bit. Most today pass it "
        "on as it is; raw 8-bit text in header fields is the usual origin of garbled subjects and "
        "names, because nothing says which character set it is in.",
    .causes =
        "A program that writes its text as it is, without a mail library (scripts, forms, "
        "devices).\n"
        "header: a subject or a name that was not encoded.\n"
        "undeclared: a client that trusts servers to be 8-bit clean, as most are.",
    .tell_apart =
        "The variant says it: header (in the header section), unadvertised (the server does not "
        "offer 8BITMIME), undeclared (it does, but MAIL did not use it).",
    .advice =
        "Let a mail library build the message.\n"
        "Encode header text (RFC 2047), and encode the body or declare BODY=8BITMIME.\n"
        "unadvertised: a server or a filter without 8BITMIME deserves a look; the client has to "
        "encode there.",
    .caveats =
        "Sending 8-bit text undeclared is nearly universal and mostly harmless: hence only a "
        "notice.",
    .reference = "RFC 5321 2.4; RFC 6152 3; RFC 6531 3.2; RFC 2047",
    .needs = kNeedsContent | kNeedsOctets | kNeedsReplyLines,
    .triggers = kOnTransactionEnd,
    .evaluate = eightbit_without_8bitmime::evaluate,
};

}  // namespace smtpscope
