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
  const auto& close = session.closes[index(Side::kClient)];
  const Duration lifetime = (close ? close->time : context.now()) - session.opened;
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
    .uses = kNeedsCloseKind,
    .triggers = kOnSessionEnd,
    .evaluate = no_dialogue::evaluate,
};

}  // namespace smtpscope
