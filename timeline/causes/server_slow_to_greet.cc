#include <fmt/format.h>

#include <chrono>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace server_slow_to_greet_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const SessionState& session = the_case.session();
  const LastSilence& wait = session.longest_silence;
  if (wait.owed != kOwedGreeting || wait.length() < std::chrono::seconds(3)) return;
  if (session.greeting == SessionState::Greeting::kPending) return;
  explanation.weight =
      the_case.lost() == nullptr && the_case.totals().transactions > 0 ? kUsual : kHint;
  explanation.certainty = Certainty::kLikely;
  explanation.headline = fmt::format(
      "the server took {} to greet: so long, servers look up the client's name or block lists, or "
      "hold back on purpose",
      the_case.measured(wait.length()));
  explanation.covers = {&kGreetingDelay, &kGapServer, &kRoundPause, &kDnsTimeoutSignature};
}

}  // namespace
}  // namespace server_slow_to_greet_cause

const Cause kServerSlowToGreetCause = {.id = "server-slow-to-greet",
                                       .side = Fault::kServer,
                                       .weigh = server_slow_to_greet_cause::weigh};

}  // namespace smtpscope
