#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"

namespace smtpscope {
namespace turned_away_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const SessionState& session = the_case.session();
  if (!session.turned_away || session.connect_failed) return;
  explanation.weight = kProven;
  explanation.side = Fault::kProxy;
  explanation.headline = "smtpscope itself turned the client away";
  if (session.proxys_reason != nullptr) explanation.headline += ": " + *session.proxys_reason;
}

}  // namespace
}  // namespace turned_away_cause

const Cause kTurnedAwayCause = {
    .id = "turned-away", .side = Fault::kProxy, .weigh = turned_away_cause::weigh};

}  // namespace smtpscope
