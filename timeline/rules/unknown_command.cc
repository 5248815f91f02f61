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
#include "timeline/session_notes.h"

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
  if (reply.first_digit() == 2 || reply.first_digit() == 3) finding.severity = Severity::kInfo;
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
    .title = "A command that somebody did not know",
    .means =
        "Either the client sent a word that is no SMTP command and that the server had not offered "
        "as an extension; or the server answered 500 or 502, \"I do not know that\", to one that "
        "is. Nothing happens because of such a command. Servers count them, and hang up after a "
        "few.",
    .causes =
        "Somebody who types at the server by hand.\n"
        "A client that uses an extension which this server does not have.\n"
        "A firewall in between that overwrites commands it does not like, often with XXXX.\n"
        "Something that does not speak SMTP at all.",
    .tell_apart =
        "If the word is garbled or made of X, compare it with the client's own log: a difference "
        "means that something in between changed it. If the server does not know a command that "
        "every server must know, look for such a device in front of the server.",
    .advice =
        "Look up which program sent the command and why.\n"
        "Switch off mail inspection in firewalls between client and server.",
    .caveats =
        "500 may also mean that the line was too long or garbled. VRFY, EXPN and HELP may be "
        "switched off in a server; that is not told here.",
    .reference = "RFC 5321 4.1.5, 4.2.4, 4.5.1",
    .triggers = kOnCommand | kOnReply,
    .verbs = verbs(Verb::kUnknown),
    .replies_to = kAnyVerb,
    .only = kRefusal,
    .evaluate = unknown_command::evaluate,
    .answered = unknown_command::answered,
};

}  // namespace smtpscope
