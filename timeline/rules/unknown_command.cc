#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/reaction.h"
#include "timeline/state/session_notes.h"

namespace smtpscope {
namespace unknown_command {
namespace {

/// RFC 5321 4.5.1; the server must know these.
constexpr VerbSet kRequired = verbs(Verb::kEhlo, Verb::kHelo, Verb::kMail, Verb::kRcpt, Verb::kData,
                                    Verb::kRset, Verb::kNoop, Verb::kQuit);
/// Refusing these is common and allowed (RFC 5321 4.5.1, 7.3).
constexpr VerbSet kOptional = verbs(Verb::kVrfy, Verb::kExpn, Verb::kHelp);
constexpr std::size_t kLongestKeyword = 64;

bool is_offered(const Capabilities& capabilities, std::string_view word) {
  if (word.empty() || word.size() > kLongestKeyword) return false;
  return std::ranges::any_of(capabilities.keywords(), [&](const Capabilities::Keyword& keyword) {
    return equal_ignoring_case(word, keyword.name());
  });
}

void on_command(RuleContext& context) {
  const Command& command = *context.command();
  if (is_offered(context.conversation().capabilities(), command.word)) return;
  // A whole message read as commands is told by another rule; here the first lines are enough.
  const UnknownRun run =
      with_unknown_line(*context.entry()->item, command, *context.entry(), context.session());
  if (run.count > context.threshold_count(Threshold::kContentLines)) return;
  Finding finding = context.finding();
  if (command.text.empty()) {
    finding.text = "the client side sent a line with nothing to read in it";
  } else {
    finding.text = fmt::format("the client side sent \"{}\", which is no command known here",
                               excerpt(command.word));
  }
  finding.attributes = {{"verb", excerpt(command.word)}};
  context.fire_when_answered(std::move(finding));
}

bool answered(RuleContext& context, Finding& finding) {
  const Reply& reply = *context.reply();
  // What the server knows is an extension that only we do not.
  const bool yes = reply.first_digit() == 2 || reply.first_digit() == 3;
  if (yes && reply.code != 221) finding.severity = Severity::kInfo;
  return answered_with_reaction(context, finding);
}

/// A command that is known here, but not to the server.
void on_reply(RuleContext& context) {
  const Reply& reply = *context.reply();
  if (reply.code != 500 && reply.code != 502) return;
  const PendingExchange* sent = context.answered();
  if (sent == nullptr || sent->kind != Answers::kCommand || sent->verb == Verb::kUnknown) return;
  const VerbSet verb = verbs(sent->verb);
  if ((verb & kOptional) != 0) return;
  if (context.session().greeting == SessionState::Greeting::kRefused) return;

  Finding finding = context.finding();
  finding.entries.push_back(sent->entry);
  finding.attributes = {{"verb", std::string(to_string(sent->verb))},
                        {"code", std::to_string(reply.code)}};
  finding.text = fmt::format("the server answered {} to {}, as if it did not know the command",
                             reply.code, to_string(sent->verb));
  if ((verb & kRequired) != 0) {
    finding.fault = Fault::kServer;
    finding.text += ", which every server has to know";
  }
  // 500 also stands for a line too long or garbled (RFC 5321 4.2.2).
  if (reply.code == 500) finding.certainty = Certainty::kLikely;
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.command() == nullptr) {
    on_reply(context);
  } else {
    on_command(context);
  }
}

}  // namespace
}  // namespace unknown_command

const Rule kUnknownCommand = {
    .id = "unknown-command",
    .category = Category::kSyntax,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .triggers = kOnCommand | kOnReply,
    .verbs = verbs(Verb::kUnknown),
    .replies_to = kAnyVerb,
    .only = kRefusal,
    .evaluate = unknown_command::evaluate,
    .answered = unknown_command::answered,
};

}  // namespace smtpscope
