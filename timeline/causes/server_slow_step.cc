#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "base/counted.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace server_slow_step_cause {
namespace {

constexpr Duration kSlow = std::chrono::seconds(3);

/// Of those that are kept, besides the slowest.
std::uint64_t other_slow_replies(const Case& the_case) {
  const SlowReplies* slow = the_case.session().slow_replies.get();
  if (slow == nullptr) return 0;
  const auto kept = std::span(slow->first).first(slow->kept);
  const auto count =
      std::ranges::count_if(kept, [](const SlowReply& one) { return one.think >= kSlow; });
  return count > 1 ? static_cast<std::uint64_t>(count) - 1 : 0;
}

void weigh(const Case& the_case, Explanation& explanation) {
  const LastSilence& wait = the_case.session().longest_silence;
  if (wait.silent != Party::kServer || wait.length() < kSlow) return;
  if (wait.owed == kOwedGreeting || wait.owed.empty()) return;
  const bool at_dot = wait.owed == kOwedEndOfData;
  explanation.weight = the_case.all_delivered() ? kUsual : kHint;
  explanation.side = Fault::kServer;
  const std::uint64_t others = other_slow_replies(the_case);
  explanation.headline =
      fmt::format("the server took {} for {}{}{}", the_case.measured(wait.length()), wait.owed,
                  at_dot ? ": a filter, a virus scanner or a slow disk works at that moment"
                  : wait.owed == kOwedRcptReply
                      ? ": address checks, policy services or name service work at that moment"
                      : "",
                  others > 0 ? fmt::format("; {} took {} or more, too",
                                           counted(others, "other reply"), the_case.measured(kSlow))
                             : std::string());
  if (others > 0) explanation.not_it = {"a refusal: nothing was refused"};
  explanation.certainty = Certainty::kLikely;
  explanation.covers = {&kGapServer, &kEodReplySlow, &kRoundPause, &kDnsTimeoutSignature};
}

}  // namespace
}  // namespace server_slow_step_cause

const Cause kServerSlowStepCause = {
    .id = "server-slow-step", .side = Fault::kServer, .weigh = server_slow_step_cause::weigh};

}  // namespace smtpscope
