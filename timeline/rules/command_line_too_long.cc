#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/reaction.h"

namespace smtpscope {
namespace command_line_too_long {
namespace {

/// What an offered extension adds to the longest MAIL or RCPT line.
struct Raise {
  std::string_view keyword;
  std::uint64_t mail, rcpt;
};
constexpr std::array<Raise, 9> kRaises = {{
    {"SIZE", 26, 0},        // RFC 1870 3
    {"8BITMIME", 17, 0},    // " BODY=8BITMIME" and some
    {"BINARYMIME", 16, 0},  // RFC 3030 3
    {"SMTPUTF8", 10, 0},    // RFC 6531 3.1
    {"AUTH", 500, 0},       // RFC 4954 3
    {"REQUIRETLS", 11, 0},  // RFC 8689 2
    {"DELIVERBY", 17, 0},   // RFC 2852 4
    // RFC 3461 4.2 and 4.4: 500 octets of ORCPT, 100 of ENVID, each with the space before it,
    // beside the longest NOTIFY= and RET=.
    {"DSN", 110, 530},
    {"FUTURERELEASE", 34, 0},  // RFC 4865 4
}};
/// RFC 4954 4.
constexpr std::uint64_t kLongestAuthLine = 12288;

std::uint64_t limit_of(Verb verb, const Capabilities& capabilities, std::uint64_t limit) {
  const bool mail = verb == Verb::kMail;
  if (!mail && verb != Verb::kRcpt) return limit;
  for (const Raise& raise : kRaises) {
    if (capabilities.has(raise.keyword)) limit += mail ? raise.mail : raise.rcpt;
  }
  return limit;
}

void on_auth_response(RuleContext& context) {
  const auto* response = std::get_if<AuthResponse>(&context.entry()->item->body);
  if (response == nullptr || response->octets <= kLongestAuthLine) return;
  Finding finding = context.finding();
  finding.text = fmt::format("an answer within AUTH has {} octets, {} are allowed",
                             response->octets, kLongestAuthLine);
  finding.attributes = {{"octets", std::to_string(response->octets)},
                        {"limit", std::to_string(kLongestAuthLine)}};
  context.fire(std::move(finding));
}

void on_command(RuleContext& context) {
  const Command& command = *context.command();
  const Item& item = *context.entry()->item;
  const std::uint64_t octets = item.end - item.begin;
  const std::uint64_t base = context.threshold_count(Threshold::kCommandLine);
  if (octets <= base || command.ending == LineEnding::kNone) return;
  // Further lines of a message that is read as commands.
  const UnknownRun* run = context.session().unknown_run.get();
  if (command.verb == Verb::kUnknown && run != nullptr && !run->ended && run->count > 0) return;
  const std::uint64_t limit = limit_of(command.verb, context.conversation().capabilities(), base);
  if (octets <= limit) return;

  Finding finding = context.finding();
  const std::string_view verb =
      command.verb == Verb::kUnknown ? "an unknown command" : to_string(command.verb);
  finding.text = fmt::format("the line of {} has {} octets, {} are allowed", verb, octets, limit);
  if (limit > base) finding.text += " with the extensions that the server offers";
  // RFC 4954 4 keeps AUTH to the ordinary limit, and bids the client send a long initial response
  // as an answer to a 334 instead. Tokens do not fit into 512 octets, and the clients and servers
  // that use them pay no heed to this.
  const bool auth = command.verb == Verb::kAuth || command.verb == Verb::kXexps;
  if (auth && octets <= kLongestAuthLine) finding.severity = Severity::kInfo;
  finding.attributes = {{"octets", std::to_string(octets)}, {"limit", std::to_string(limit)}};
  context.fire_when_answered(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.command() != nullptr) {
    on_command(context);
  } else {
    on_auth_response(context);
  }
}

}  // namespace
}  // namespace command_line_too_long

const Rule kCommandLineTooLong = {
    .id = "command-line-too-long",
    .category = Category::kSyntax,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsOctets,
    .triggers = kOnCommand | kOnOtherEntry,
    .only = kLongLine,
    .evaluate = command_line_too_long::evaluate,
    .answered = answered_with_reaction,
};

}  // namespace smtpscope
