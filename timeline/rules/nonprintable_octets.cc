#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace nonprintable_octets {
namespace {

constexpr bool is_control(char c) {
  const auto octet = static_cast<std::uint8_t>(c);
  return (octet < 0x20 && c != '\t' && c != '\r') || octet == 0x7f;
}

/// RFC 3629 4, its table of well-formed sequences.
bool is_utf8(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t lead = octet(i++);
    if (lead < 0x80) continue;
    const std::size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || text.size() - i < more) return false;
    // Overlong forms, surrogates, and what lies beyond Unicode show in the second octet.
    const std::uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (octet(i) < least || octet(i) > most) return false;
    for (std::size_t k = 1; k < more; ++k) {
      if ((octet(i + k) & 0xc0) != 0x80) return false;
    }
    i += more;
  }
  return true;
}

/// RFC 6531 3.2 and 3.4: the server offers it, and the transaction asks for it.
bool may_be_utf8(const RuleContext& context, const Command& command) {
  if (!context.conversation().capabilities().has("SMTPUTF8")) return false;
  if (command.verb == Verb::kMail || command.verb == Verb::kRcpt) {
    const Transaction* txn = context.transaction();
    return txn != nullptr && txn->declared.utf8;
  }
  return true;
}

std::string word_of(const Command& command) {
  return std::string(command.verb == Verb::kUnknown ? "an unknown command"
                                                    : to_string(command.verb));
}

void on_command(RuleContext& context) {
  const Command& command = *context.command();
  if ((command.flags & (kHasNul | kHasControl | kHasEightBit)) == 0) return;
  // Further lines of a message that is read as commands.
  const UnknownRun* run = context.session().unknown_run.get();
  if (command.verb == Verb::kUnknown && run != nullptr && !run->ended && run->count > 0) return;

  const std::string_view text = command.text;
  Finding finding = context.finding();
  std::size_t at = 0;
  if ((command.flags & (kHasNul | kHasControl)) != 0) {
    finding.variant = "control";
    at = static_cast<std::size_t>(std::ranges::find_if(text, is_control) - text.begin());
    finding.text = fmt::format("{} has control characters in it", word_of(command));
  } else {
    // A character may be cut in two where the line was cut for display.
    const bool valid = (command.flags & kCutForDisplay) != 0 || is_utf8(text);
    if (valid && may_be_utf8(context, command)) return;
    finding.variant = valid ? "nonascii" : "invalid-utf8";
    at = static_cast<std::size_t>(
        std::ranges::find_if(text, [](char c) { return static_cast<std::uint8_t>(c) > 0x7f; }) -
        text.begin());
    finding.text =
        valid ? fmt::format("{} has characters beyond ASCII, without SMTPUTF8", word_of(command))
              : fmt::format("{} has octets beyond ASCII that are no UTF-8", word_of(command));
  }
  if (at < text.size()) {
    finding.text += fmt::format("; the first is 0x{:02x}, after {} octets of the line",
                                static_cast<std::uint8_t>(text[at]), at);
    finding.attributes = {{"offset", std::to_string(at)}};
  }
  context.fire(std::move(finding));
}

void on_data(RuleContext& context) {
  const ItemBody& body = context.entry()->item->body;
  const MessageFacts* facts = nullptr;
  if (const auto* data = std::get_if<MailData>(&body)) facts = &data->facts;
  if (const auto* chunk = std::get_if<Chunk>(&body)) {
    if (chunk->last) facts = &chunk->facts;  // they are those of the whole message
  }
  if (facts == nullptr || facts->nul == 0) return;
  const Transaction* txn = context.transaction();
  if (txn != nullptr && txn->declared.body == DeclaredMessage::Body::kBinaryMime) return;
  Finding finding = context.finding();
  finding.variant = "nul-content";
  finding.severity = Severity::kNotice;
  finding.text = fmt::format("the message has {} of value 0", counted(facts->nul, "octet"));
  finding.attributes = {{"count", std::to_string(facts->nul)}};
  if (facts->first_nul_end > 0) {
    finding.text += fmt::format(", the first after {} octets", facts->first_nul_end - 1);
    finding.attributes.emplace_back("offset", std::to_string(facts->first_nul_end - 1));
  }
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.command() != nullptr) {
    on_command(context);
  } else {
    on_data(context);
  }
}

}  // namespace
}  // namespace nonprintable_octets

const Rule kNonprintableOctets = {
    .id = "nonprintable-octets",
    .category = Category::kSyntax,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsOctets,
    .uses = kNeedsContent,
    .triggers = kOnCommand | kOnData,
    .only = kOddLine,
    .evaluate = nonprintable_octets::evaluate,
};

}  // namespace smtpscope
