#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace reset_in_data_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const TransactionTally* lost = the_case.lost();
  if (the_case.session().quit_sent) return;
  // In a message, or with a command unanswered before the first.
  const bool unanswered =
      the_case.totals().transactions == 0 &&
      the_case.session().last_command.entry > the_case.session().last_reply.entry;
  if (lost == nullptr ? !unanswered : lost->data_sent) return;
  const CloseRecord* close = the_case.close_of(Side::kServer);
  if (close == nullptr || the_case.session().first_closer != Side::kServer || close->by_proxy)
    return;
  if (the_case.session().hangup_code != 0 || the_case.refusal() != nullptr) return;
  const LastCommand& command = the_case.session().last_command;
  const Duration after = close->time - std::max(command.last, the_case.session().last_reply.last);
  const bool reset = close->kind == CloseKind::kReset;
  const std::string said(command.verb == Verb::kUnknown ? "what the client said"
                                                        : to_string(command.verb));
  const bool timed = (the_case.session().fidelity.unknown & kUnknownTimes) == 0;
  const std::string behind = timed ? fmt::format("{} after {}", the_case.measured(after), said)
                                   : fmt::format("behind {}", said);
  explanation.weight = kSpecific;
  explanation.certainty = Certainty::kLikely;
  const bool pause = after > std::chrono::seconds(30);
  explanation.side = pause ? Fault::kNetwork : Fault::kServer;
  explanation.headline = pause ? fmt::format(
                                     "the connection {} after a pause of {}: a firewall that "
                                     "forgot it, or the server's time limit",
                                     reset ? "was reset" : "ended", the_case.measured(after))
                               : fmt::format(
                                     "the server side {} {}, in the middle of the "
                                     "dialogue: its program died, or a filter in between ended it",
                                     reset ? "reset the connection" : "closed", behind);
  if (!pause) explanation.not_it = {"a firewall that forgot the connection: there was no pause"};
  explanation.covers = {&kTxnAbortedTcpReset, &kServerClosedWithout421, &kTxnAbortedDisconnect};
}

}  // namespace
}  // namespace reset_in_data_cause

const Cause kResetInDataCause = {
    .id = "reset-in-data", .side = Fault::kServer, .weigh = reset_in_data_cause::weigh};

}  // namespace smtpscope
