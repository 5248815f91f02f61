#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/counted.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/content_lines.h"
#include "timeline/state/session_notes.h"

namespace smtpscope {
namespace dot_stuffing_suspect {
namespace {

/// A line that begins with one dot and goes on: a client that doubles dots never sends it.
void on_data(RuleContext& context) {
  const auto* data = std::get_if<MailData>(&context.entry()->item->body);
  if (data == nullptr || data->facts.unstuffed_dots == 0) return;  // BDAT has no stuffing
  const MessageFacts& facts = data->facts;
  Finding finding = context.finding();
  finding.variant = "proof";
  finding.text =
      fmt::format("{} of the message begin{} with a single dot, which the server will take away",
                  counted(facts.unstuffed_dots, "line"), facts.unstuffed_dots == 1 ? "s" : "");
  finding.attributes = {{"lines", std::to_string(facts.unstuffed_dots)}};
  if (facts.first_unstuffed_dot_end > 0) {
    const std::uint64_t offset = facts.first_unstuffed_dot_end - 1;
    finding.text += fmt::format("; the first comes after {} octets", offset);
    finding.attributes.emplace_back("offset", std::to_string(offset));
  }
  context.fire(std::move(finding));
}

/// The message seems to go on behind its end.
void on_lines_behind(RuleContext& context) {
  if (!turns_into_content(context)) return;
  const SessionState& session = context.session();
  const UnknownRun run = context.command() == nullptr
                             ? *session.unknown_run
                             : with_unknown_line(*context.entry()->item, *context.command(),
                                                 *context.entry(), session);
  const LastMailData* message = session.last_mail_data.get();
  if (!run.behind_message || message == nullptr) return;
  if (run.count < context.threshold_count(Threshold::kDotStuffingLines)) return;

  Finding finding = context.finding();
  finding.variant = "suspicion";
  finding.certainty = Certainty::kPossible;
  finding.text = fmt::format(
      "the message may have ended too early, at a lone dot in its text that was not doubled: {} "
      "lines after it are no commands",
      run.count);
  if (message->declared > 0) {
    const std::uint64_t missing =
        message->declared > message->octets ? message->declared - message->octets : 0;
    if (missing <= context.threshold_count(Threshold::kDotStuffingMissing)) return;
    finding.certainty = Certainty::kLikely;
    finding.text += fmt::format(", and {} of the {} octets declared with SIZE are missing", missing,
                                message->declared);
    finding.attributes = {{"missing", std::to_string(missing)}};
  }
  finding.entries = {message->entry, run.first_entry, context.entry()->number};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.command() == nullptr && context.reply() == nullptr) {
    on_data(context);
  } else {
    on_lines_behind(context);
  }
}

}  // namespace
}  // namespace dot_stuffing_suspect

const Rule kDotStuffingSuspect = {
    .id = "dot-stuffing-suspect",
    .category = Category::kSyntax,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsContent | kNeedsOctets,
    .triggers = kOnData | kOnCommand | kOnReply,
    .verbs = verbs(Verb::kUnknown),
    .evaluate = dot_stuffing_suspect::evaluate,
};

}  // namespace smtpscope
