#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/content_lines.h"
#include "timeline/state/session_notes.h"

namespace smtpscope {
namespace content_parsed_as_commands {
namespace {

bool is_content(const UnknownRun& run, std::uint64_t lines) {
  // Right behind a refused DATA a single header field is enough, whatever its name: a line of that
  // shape cannot be meant as a command there.
  if (run.behind_refused_data && run.headers > 0) return true;
  return run.count >= lines && (run.headers > 0 || run.refused >= lines);
}

/// The run as it is with what happens now.
UnknownRun run_now(const RuleContext& context) {
  if (const Command* command = context.command()) {
    return with_unknown_line(*context.entry()->item, *command, *context.entry(), context.session());
  }
  return *context.session().unknown_run;
}

void evaluate(RuleContext& context) {
  if (!turns_into_content(context)) return;
  const UnknownRun run = run_now(context);
  Finding finding = context.finding();
  finding.text =
      run.count == 1
          ? std::string("the client side sent a line of a message where a command belongs")
          : fmt::format(
                "the client side sent {} lines in a row that are no commands{}", run.count,
                run.headers == 0
                    ? std::string()
                    : fmt::format(", {} of them like header fields of a message", run.headers));
  if (run.behind_refused_data) {
    finding.text += ", right after a command for sending a message that the server had refused";
  } else if (run.behind_message) {
    finding.text += ", right after the end of a message";
  }
  finding.entries = {run.first_entry, context.entry()->number};
  finding.attributes = {{"lines", std::to_string(run.count)},
                        {"headers", std::to_string(run.headers)},
                        {"refused", std::to_string(run.refused)}};
  if (context.command() != nullptr) {
    context.fire_when_answered(std::move(finding));
  } else {
    context.fire(std::move(finding));
  }
}

}  // namespace
}  // namespace content_parsed_as_commands

bool turns_into_content(const RuleContext& context) {
  using content_parsed_as_commands::is_content;
  const SessionState& session = context.session();
  const std::uint64_t lines = context.threshold_count(Threshold::kContentLines);
  if (context.command() != nullptr) {
    const UnknownRun* run = session.unknown_run.get();
    const bool before = run != nullptr && !run->ended && is_content(*run, lines);
    return !before && is_content(content_parsed_as_commands::run_now(context), lines);
  }
  const Reply* reply = context.reply();
  const PendingExchange* sent = context.answered();
  const UnknownRun* run = session.unknown_run.get();
  if (reply == nullptr || sent == nullptr || run == nullptr) return false;
  if (reply->code != 500 && reply->code != 502) return false;
  if (sent->entry < run->first_entry || run->refused == 0) return false;
  UnknownRun before = *run;
  --before.refused;
  return !is_content(before, lines) && is_content(*run, lines);
}

const Rule kContentParsedAsCommands = {
    .id = "content-parsed-as-commands",
    .category = Category::kSyntax,
    .severity = Severity::kError,
    .fault = Fault::kClient,
    .triggers = kOnCommand | kOnReply,
    .verbs = verbs(Verb::kUnknown),
    .evaluate = content_parsed_as_commands::evaluate,
};

}  // namespace smtpscope
