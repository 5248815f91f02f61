#include <fmt/format.h>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

using Hello = SessionState::Hello;

/// Where the RSET stood. Whether QUIT follows is not known when the reply comes, unless QUIT was
/// pipelined behind it: waiting for the next command would tell the user of a no-op minutes late.
std::string_view where(const RuleContext& context) {
  const SessionState& session = context.session();
  if (session.last_command.verb == Verb::kQuit) return "before-quit";
  if (session.hello == Hello::kNone) return "before-hello";
  const LastReply& before = session.last_reply;
  const bool accepted = before.code / 100 == 2;
  // RFC 5321 4.1.1.5: equal to NOOP "immediately after EHLO, before EHLO is issued, after an
  // end of data indicator has been sent and acknowledged, or immediately before a QUIT".
  switch (before.verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      return accepted ? "after-hello" : "between";
    case Verb::kData:
    case Verb::kBdat:
    case Verb::kBurl:
      return session.previous != nullptr && session.previous->last_entry == before.entry
                 ? "after-message"
                 : "between";
    default:
      return "between";
  }
}

std::string_view in_words(std::string_view variant) {
  if (variant == "before-quit") return "right before QUIT";
  if (variant == "before-hello") return "before any EHLO or HELO";
  if (variant == "after-hello") return "right after EHLO or HELO";
  if (variant == "after-message") return "after the end of a message";
  return "with no transaction open";
}

void evaluate(RuleContext& context) {
  if (!context.answers(Verb::kRset) || context.reply()->first_digit() != 2) return;
  if (context.ended() != nullptr || context.transaction() != nullptr) return;

  Finding finding = context.finding();
  finding.variant = where(context);
  finding.text = fmt::format("RSET had nothing to reset: it came {}", in_words(finding.variant));
  finding.entries.insert(finding.entries.begin(), context.answered()->entry);
  // The second and later RSETs of a run are told together when the run ends.
  const RsetRun* run = context.session().rset_run.get();
  if (run != nullptr && context.answered()->entry != run->entries[0]) {
    finding.folded_under = "rset-repeated";
  }
  context.fire(std::move(finding));
}

}  // namespace

const Rule kRsetNoop = {
    .id = "rset-noop",
    .category = Category::kTransaction,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .title = "RSET while no transaction was open",
    .means =
        "RSET throws away the sender and the recipients given so far. Here there were none, so it "
        "did nothing: the server answers as it would answer NOOP.\n"
        "Likely causes, the likeliest first: a mail library that clears up after each message as a "
        "precaution (variant after-message); a connection pool that asks with RSET whether an idle "
        "connection still lives before it is used again (a pause before, MAIL right behind); two "
        "layers of software that each reset.\n"
        "Nothing needs to be done unless there are many of them.",
    .caveats =
        "Servers count commands that move no mail: Postfix answers 421 after 100 of them in a "
        "session (1 under overload), Exim allows few. Then this habit costs connections.",
    .reference = "RFC 5321 4.1.1.5",
    .triggers = kOnReply,
    .evaluate = evaluate,
};

}  // namespace smtpscope
