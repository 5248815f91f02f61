#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/smuggled_envelope.h"

namespace smtpscope {
namespace smuggled_message_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const SmuggledEnvelope* envelope = the_case.session().smuggled.get();
  if (envelope == nullptr) return;
  const bool accepted = envelope->accepted_by != 0;
  explanation.weight = accepted ? kProven : kSpecific;
  explanation.certainty = accepted ? Certainty::kSeen : Certainty::kLikely;
  explanation.headline =
      accepted ? "a second message was smuggled in, and the server accepted it: its envelope stood "
                 "inside the content of the first"
               : "someone tries to smuggle a second message: the content holds what some "
                 "servers take for the end, followed by a whole envelope; this one did not fall "
                 "for it";
  explanation.entries = {envelope->entry, envelope->accepted_by};
  explanation.covers = {&kEodNonstandardSeq, &kEodNonstandardAccepted, &kLineEndingData,
                        &kUnsolicitedReply};
}

}  // namespace
}  // namespace smuggled_message_cause

const Cause kSmuggledMessageCause = {
    .id = "smuggled-message", .side = Fault::kClient, .weigh = smuggled_message_cause::weigh};

}  // namespace smtpscope
