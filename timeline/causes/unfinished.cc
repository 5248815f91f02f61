#include <fmt/format.h>

#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"

namespace smtpscope {
namespace unfinished_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  // Only a close, or the other one, is missing: that the trace ends here explains nothing.
  const bool said_all = the_case.session().quit_answered || the_case.session().first_closer;
  const bool decided = the_case.all_delivered() && said_all;
  if (the_case.session().unfinished && the_case.refusal() == nullptr &&
      the_case.lost() == nullptr && !decided) {
    explanation.weight = kProven;
    explanation.headline = where_the_trace_ends(the_case);
    return;
  }
  const TransactionTally* lost = the_case.lost();
  const SessionState& session = the_case.session();
  if (session.first_closer || session.quit_answered || session.connect_failed) return;
  if (lost == nullptr && session.transactions > 0) return;
  if (the_case.refusal() != nullptr || session.tls_hides()) return;
  if (session.mid_session && session.transactions == 0) return;
  // A warning says more.
  if (!the_case.told().empty() && the_case.told().front().severity >= Severity::kWarning) return;
  const LastSilence& last = session.last_silence;
  explanation.weight = kHint;
  explanation.headline =
      last.silent == Party::kServer || last.silent == Party::kClient
          ? fmt::format("the trace ends before the session does; the {} side owed {}",
                        to_string(last.silent), last.owed.empty() ? "a word" : last.owed)
          : std::string("the trace ends before the session does");
}

}  // namespace
}  // namespace unfinished_cause

const Cause kUnfinishedCause = {
    .id = "unfinished", .side = Fault::kUnknown, .weigh = unfinished_cause::weigh};

}  // namespace smtpscope
