#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
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
  // Outside a transaction the reply that let the message begin is the last one there was.
  const LastReply& last = context.session().last_reply;
  const bool outside_granted = txn == nullptr && !data->assumed && last.verb == Verb::kData &&
                               last.answers == Answers::kCommand;
  const int code = txn != nullptr ? txn->data_code : outside_granted ? last.code : 0;
  Finding finding = context.finding();
  finding.text =
      fmt::format("the client side sent {} of the message before the reply to DATA had arrived",
                  counted(data->early_octets, "octet"));
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
    .needs = kNeedsReadTimes,
    .triggers = kOnCommand | kOnData,
    .verbs = verbs(Verb::kUnknown),
    .only = kOddLine,
    .evaluate = data_content_early::evaluate,
};

}  // namespace smtpscope
