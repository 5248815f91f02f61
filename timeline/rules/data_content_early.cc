#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace data_content_early {
namespace {

/// The message was taken, or read as one because the reply was still missing.
void on_data(RuleContext& context) {
  const auto* data = std::get_if<MailData>(&context.entry()->item->body);
  if (data == nullptr || data->early_octets == 0) return;
  const Transaction* txn = context.transaction();
  const int code = txn == nullptr ? 0 : txn->data_code;
  Finding finding = context.finding();
  finding.text = fmt::format(
      "the client side sent {} octet{} of the message before the reply to DATA was here",
      data->early_octets, data->early_octets == 1 ? "" : "s");
  finding.attributes = {{"early", std::to_string(data->early_octets)}};
  if (code >= 400) {
    finding.variant = "rejected";
    finding.text += fmt::format("; it was {}", code);
  } else if (code != 0) {
    finding.variant = "354";
    finding.text += fmt::format("; the server said {} and took them nevertheless", code);
  } else {
    finding.text += "; none came";
  }
  if (code != 0) finding.attributes.emplace_back("code", std::to_string(code));
  context.fire(std::move(finding));
}

/// The first line that had come behind DATA when DATA was refused.
void on_command(RuleContext& context) {
  const Command& command = *context.command();
  const SessionState& session = context.session();
  if ((command.flags & kEarly) == 0 || session.barrier != Verb::kData) return;
  if (session.last_command.verb != Verb::kData) return;
  const int code = session.last_reply.code;
  const Duration lead = context.entry()->first - session.last_command.last;
  Finding finding = context.finding();
  finding.variant = "rejected";
  finding.text = fmt::format(
      "the client side began to send the message {} after DATA, without waiting for the reply; "
      "that was {}, so the server reads each line of it as a command",
      context.measured(lead), code);
  finding.entries.push_back(session.last_command.entry);
  finding.entries.push_back(session.last_reply.entry);
  finding.attributes = {{"code", std::to_string(code)}};
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
}  // namespace data_content_early

const Rule kDataContentEarly = {
    .id = "data-content-early",
    .category = Category::kSequencing,
    .severity = Severity::kError,
    .fault = Fault::kClient,
    .title = "The client sent the message before the server had agreed to take it",
    .means =
        "After DATA the client has to wait for a 354. This one did not. Variant 354: the server "
        "agreed in the end and the message went through, by luck. Variant rejected: the server "
        "refused DATA, and now takes every line of the message for a command. Most lines are "
        "answered with errors, but a line that looks like a command is executed; whoever writes "
        "the text of such a message can make the client's session do as he likes.",
    .causes =
        "A script or a device that writes the whole dialogue at once and never reads.\n"
        "A client that thinks that PIPELINING covers the message too. It does not.",
    .tell_apart =
        "If commands before DATA were sent without waiting too, the client never reads replies. If "
        "only the message came early, it is a misreading of PIPELINING.",
    .advice =
        "Make the client wait for 354 behind DATA; no setting of a server makes up for it.\n"
        "Let such a client talk to a local mail server that it can trust, not to the outside.\n"
        "Variant rejected: check in the server's log which lines of the message it executed.",
    .caveats = "",
    .reference = "RFC 5321 3.3; RFC 2920 3.1",
    .needs = kNeedsReadTimes,
    .triggers = kOnCommand | kOnData,
    .verbs = verbs(Verb::kUnknown),
    .only = kOddLine,
    .evaluate = data_content_early::evaluate,
};

}  // namespace smtpscope
