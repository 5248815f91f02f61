#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace long_ehlo_reply_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (the_case.offered().keywords().size() < 18) return;
  const bool left = left_after_hello(the_case);
  const bool fell_back = the_case.session().hello_before != nullptr &&
                         the_case.session().hello == SessionState::Hello::kHelo;
  if (!left && !fell_back) return;
  if (!left && the_case.all_delivered()) return;
  explanation.weight = kUsual + 5;
  explanation.certainty = Certainty::kPossible;
  explanation.headline = fmt::format(
      "the client left at an EHLO reply of {} lines: some clients cannot read one that long",
      the_case.offered().keywords().size() + 1);
  explanation.covers = {&kMissingQuit, &kNoDialogue, &kHeloFallback};
}

}  // namespace
}  // namespace long_ehlo_reply_cause

const Cause kLongEhloReplyCause = {
    .id = "long-ehlo-reply", .side = Fault::kClient, .weigh = long_ehlo_reply_cause::weigh};

}  // namespace smtpscope
