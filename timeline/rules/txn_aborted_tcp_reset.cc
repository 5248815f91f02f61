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
    .title = "The connection was reset in the middle of a transaction",
    .means =
        "The connection did not end in an orderly way: it was torn down (TCP reset) while a mail "
        "was being handed over. Nothing of it may be delivered; the client has to try again.",
    .causes =
        "A firewall, NAT or load balancer forgot the connection during a pause and answered the "
        "next octets with a reset.\n"
        "The program on the named side crashed, or closed while octets for it were still unread.\n"
        "A device on the way disliked the content and cut the connection.",
    .tell_apart =
        "A reset right after a long pause is a forgotten connection. One right after certain "
        "octets, again and again, is a device that reads along. Record on both sides: a reset that "
        "both sides received and neither sent comes from in between.",
    .advice =
        "Compare the pause before the reset with the idle limits of the devices on the way.\n"
        "Look for a crash in the logs of the named side.\n"
        "Record on the host of the named side too.",
    .caveats =
        "The reset came from the direction of the named side; that it was sent by the program "
        "there is not proven. Too large packets that get lost cause stalls, not resets.",
    .reference = "RFC 5321 3.8, 4.1.1.10",
    .needs = kNeedsCloseKind,
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_tcp_reset::evaluate,
};

}  // namespace smtpscope
