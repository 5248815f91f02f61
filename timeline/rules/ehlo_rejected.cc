#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace ehlo_rejected {
namespace {

std::string_view reading(std::uint16_t code) {
  switch (code) {
    case 500:
    case 502:
    case 504:
      return "it does not seem to know the command";
    case 501:
    case 550:
    case 553:
    case 554:
      return "it does not seem to like the name";
    case 503:
      return "it seems to think it comes at the wrong moment";
    case 530:
      return "it wants something else first";
    default:
      return "no code that RFC 5321 4.3.2 lists for it";
  }
}

/// Exim and Postfix punish early talkers with 554.
bool at_wrong_moment(const RuleContext& context) {
  const RefusedReply* why = context.entry()->refusal;
  return why != nullptr && why->code == 554 && why->judged.reason == ReplyReason::kProtocolError;
}

/// The server quotes what it got, and that is not what was sent: firewalls that look into SMTP
/// overwrite the commands that they do not know with X.
bool was_masked(const Reply& reply, Verb sent) {
  return std::ranges::any_of(reply.lines, [&](const ReplyLine& line) {
    return line.text.find("XXXX") != std::string_view::npos &&
           line.text.find(to_string(sent)) == std::string_view::npos;
  });
}

/// Its words say so, whatever the code (504 is Postfix's for a name without a dot).
bool refused_by_name(const RuleContext& context) {
  const RefusedReply* why = context.entry()->refusal;
  return why != nullptr && (why->judged.reason == ReplyReason::kClientNameRejected ||
                            why->judged.reason == ReplyReason::kClientNoReverseDns);
}

void evaluate(RuleContext& context) {
  const Reply* reply = context.reply();
  const PendingExchange* answered = context.answered();
  if (answered == nullptr || answered->kind != Answers::kCommand) return;
  // 4yz: the server is not available now, whatever it was asked. 521 ends the session.
  if (reply->first_digit() == 2 || reply->first_digit() == 4 || reply->code == 521) return;
  // RFC 5321 3.1: after a refused greeting everything but QUIT is refused.
  if (context.session().greeting == SessionState::Greeting::kRefused) return;

  Finding finding = context.finding();
  const LastHello& hello = context.session().last_hello;
  const bool known = hello.entry == answered->entry;
  const std::string_view name = known ? std::string_view(hello.name) : std::string_view();
  const bool by_name = refused_by_name(context);
  if (by_name) finding.fault = Fault::kClient;
  const bool masked = was_masked(*reply, answered->verb);
  if (masked) finding.fault = Fault::kNetwork;
  finding.text =
      fmt::format("the server refused \"{}{}{}\" with {}: {}", to_string(answered->verb),
                  name.empty() ? "" : " ", name, quoted_reply(*reply),
                  masked                     ? "something on the path overwrote the command"
                  : by_name                  ? "the name is what it refuses"
                  : at_wrong_moment(context) ? "it seems to think it comes at the wrong moment"
                                             : reading(reply->code));
  finding.entries.push_back(answered->entry);
  finding.attributes = {{"code", std::to_string(reply->code)}, {"argument", std::string(name)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace ehlo_rejected

const Rule kEhloRejected = {
    .id = "ehlo-rejected",
    .category = Category::kExtension,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kEhlo, Verb::kLhlo),
    .evaluate = ehlo_rejected::evaluate,
};

}  // namespace smtpscope
