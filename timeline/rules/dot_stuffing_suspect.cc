#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/content_lines.h"
#include "timeline/session_notes.h"

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
  finding.text = fmt::format(
      "{} line{} of the message begin{} with a single dot, which the server will take away",
      facts.unstuffed_dots, facts.unstuffed_dots == 1 ? "" : "s",
      facts.unstuffed_dots == 1 ? "s" : "");
  finding.attributes = {{"lines", std::to_string(facts.unstuffed_dots)}};
  if (facts.first_unstuffed_dot_end > 0) {
    const std::uint64_t offset = facts.first_unstuffed_dot_end - 1;
    finding.text += fmt::format("; the first stands behind {} octets", offset);
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
      "lines behind it are no commands",
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
    .title = "The client does not double the dots at the beginning of lines",
    .means =
        "A line with a single dot ends a message. So that the text itself may hold such a line, "
        "the client doubles a dot that stands at the beginning of any line, and the server takes "
        "it away again. This client does not. Variant proof: a line came with one dot and more "
        "behind it, so the reader will miss that dot. Variant suspicion: behind the end of a "
        "message there are lines that look as if they belonged to it; then the message was cut off "
        "at a lone dot, and the rest was read as commands.",
    .causes =
        "A script or a small program that copies text into the connection as it is.\n"
        "A program that doubles dots only in some of its parts, or before it breaks lines anew.\n"
        "Variant suspicion: a text with a line that holds only a dot, such as a program listing "
        "or a quoted SMTP dialogue.",
    .tell_apart =
        "Send a test message with a line \".test\" and one that holds only a dot, and compare what "
        "arrives. If it is whole, only one kind of message is affected.",
    .advice =
        "Mend the program: a dot at the beginning of a line is sent twice.\n"
        "Or let it hand the message to sendmail with the option -i, or to a mail library.\n"
        "Messages of such a client that were cut short have to be sent again.",
    .caveats =
        "Variant suspicion rests on what came behind the message; somebody who types at the server "
        "by hand and makes mistakes looks the same when no SIZE was declared.",
    .reference = "RFC 5321 4.5.2",
    .needs = kNeedsContent | kNeedsOctets,
    .triggers = kOnData | kOnCommand | kOnReply,
    .verbs = verbs(Verb::kUnknown),
    .evaluate = dot_stuffing_suspect::evaluate,
};

}  // namespace smtpscope
