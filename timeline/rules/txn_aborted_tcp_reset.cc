#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace txn_aborted_tcp_reset {
namespace {

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || ended->aborted_by != AbortedBy::kReset || ended->final_code != 0) return;
  const SessionState& session = context.session();
  if (!session.first_closer) return;
  const Side side = *session.first_closer;
  const Time closed = session.closes[index(side)]->time;
  // What was on its way may come later.
  const Duration since_client =
      std::max(Duration::zero(), closed - std::max(session.last_command.last, ended->data_ended));
  const Duration since_server = std::max(Duration::zero(), closed - session.last_reply.last);

  Finding finding = context.finding();
  // The refusals are the story; small send-only programs often leave like this behind them.
  if (ended->rcpt_refused > 0 && ended->rcpt_accepted == 0) {
    finding.variant = "after-reject";
    finding.severity = Severity::kInfo;
  }
  finding.text = fmt::format(
      "the connection was reset from the {} side in the middle of the transaction, {} after the "
      "last octets of the client side and {} after those of the server",
      to_string(side), duration_text(since_client), duration_text(since_server));
  finding.entries = {ended->first_entry, session.last_command.entry, session.last_reply.entry};
  finding.attributes = {{"side", std::string(to_string(side))},
                        {"since_client", seconds_text(since_client)},
                        {"since_server", seconds_text(since_server)},
                        {"octets", std::to_string(ended->wire_octets)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace txn_aborted_tcp_reset

const Rule kTxnAbortedTcpReset = {
    .id = "txn-aborted-tcp-reset",
    .category = Category::kNetwork,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .needs = kNeedsCloseKind,
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_tcp_reset::evaluate,
};

}  // namespace smtpscope
