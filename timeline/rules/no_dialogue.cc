#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace no_dialogue {
namespace {

/// QUIT, its line end, and a blank or two at most: nothing else can have been said.
constexpr std::uint64_t kOnlyQuit = 8;

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  if (session.mid_session || session.holes > 0 || !session.connected) return;
  const std::uint64_t octets = context.conversation().received(Side::kClient);
  const bool only_quit = session.quit_sent && octets <= kOnlyQuit;
  if (octets > 0 && !only_quit) return;
  // Thrown out before it could speak, or the trace ends before it does: that is no client's doing.
  if (!only_quit && session.first_closer != Side::kClient) return;
  if (!only_quit && session.closes[index(Side::kClient)]->by_proxy) return;
  const Duration lifetime = context.now() - session.opened;
  if (lifetime >= context.threshold(Threshold::kNoDialogueLifetime)) return;

  Finding finding = context.finding();
  const bool greeted = session.greeting != SessionState::Greeting::kPending;
  if (only_quit) {
    finding.text = "the client side said nothing but QUIT";
  } else if (greeted) {
    finding.text = fmt::format("the client side closed the connection after {} without a word",
                               context.measured(lifetime));
  } else {
    finding.text = fmt::format("the client side closed the connection after {}, before a greeting",
                               context.measured(lifetime));
  }
  finding.attributes = {{"lifetime", seconds_text(lifetime)}, {"greeted", greeted ? "yes" : "no"}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace no_dialogue

const Rule kNoDialogue = {
    .id = "no-dialogue",
    .category = Category::kClient,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .title = "Somebody connected and said nothing",
    .means =
        "The client side opened a connection and closed it again without saying anything, or only "
        "QUIT. No mail was meant to move.",
    .causes =
        "A monitoring program or load balancer that checks whether the port answers.\n"
        "A port scan.\n"
        "A client that gave up waiting for the greeting.",
    .tell_apart =
        "Checks come at regular intervals from the same address. If the greeting had not come yet, "
        "compare the length of the connection with the client's time limit.",
    .advice =
        "Nothing, if it is a check.\n"
        "If a real client gave up before the greeting: find out why the server greets so late.",
    .caveats = "",
    .reference = "RFC 5321 3.1; Postfix POSTSCREEN_README",
    .uses = kNeedsCloseKind,
    .triggers = kOnSessionEnd,
    .evaluate = no_dialogue::evaluate,
};

}  // namespace smtpscope
