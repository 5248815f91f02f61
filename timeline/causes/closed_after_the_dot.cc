#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace closed_after_the_dot_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const TransactionTally* lost = the_case.lost();
  if (lost == nullptr || lost->outcome != Outcome::kUnknown || !lost->data_sent) return;
  const CloseRecord* close = the_case.close_of(Side::kServer);
  if (close == nullptr || the_case.session().first_closer != Side::kServer || lost->final_code != 0)
    return;
  const Duration after = close->time - lost->data_ended;
  explanation.weight = kSpecific;
  explanation.certainty = Certainty::kLikely;
  explanation.side = Fault::kServer;
  explanation.headline = fmt::format(
      "the server side {} {} after the end of the message, without a reply: its program crashed, "
      "or something on the path ended the connection",
      close->kind == CloseKind::kReset ? "reset the connection" : "closed",
      the_case.measured(after));
  explanation.not_it = {"the client's time limit: the server side closed first"};
  explanation.covers = {&kLostAfterEod, &kServerClosedWithout421, &kTxnAbortedTcpReset};
}

}  // namespace
}  // namespace closed_after_the_dot_cause

const Cause kClosedAfterTheDotCause = {.id = "closed-after-the-dot",
                                       .side = Fault::kServer,
                                       .weigh = closed_after_the_dot_cause::weigh};

}  // namespace smtpscope
