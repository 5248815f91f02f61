#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/counted.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace path_black_hole_cause {
namespace {

/// The side whose host does not confirm what it is sent any more, if one does not.
std::optional<Side> unconfirming(const Case& the_case) {
  for (const Side side : {Side::kServer, Side::kClient}) {
    const TcpFigures* figures = the_case.tcp_of(side);
    if (figures != nullptr && figures->lost()) return side;
  }
  // The kernel has sent again for a quarter of an hour and gave up.
  for (const Side side : {Side::kServer, Side::kClient}) {
    const CloseRecord* close = the_case.close_of(side);
    if (close != nullptr && close->kind == CloseKind::kTimeout && !close->by_proxy) return side;
  }
  return std::nullopt;
}

/// A packet as large as they get is among what was lost, and smaller ones had come through.
bool only_large_ones(const Case& the_case, Side side, const TcpFigures& figures) {
  if (figures.segment == 0 || figures.unconfirmed < figures.segment) return false;
  // It answered what it had been sent before.
  const SessionState& session = the_case.session();
  return side == Side::kServer ? session.last_reply.entry != 0 : session.last_command.entry != 0;
}

/// They were lost for a while, and came through in the end.
void weigh_healed(const Case& the_case, Explanation& explanation) {
  const TcpNotes* notes = the_case.session().tcp.get();
  if (notes == nullptr || !notes->healed[index(Side::kServer)]) return;
  const TcpFigures& figures = *notes->healed[index(Side::kServer)];
  explanation.weight = the_case.all_delivered() ? kUsual + 10 : kHint;
  explanation.side = Fault::kNetwork;
  explanation.headline = fmt::format(
      "behind smtpscope: packets were lost on the way: {} to the server were sent again {} before "
      "it answered",
      counted(figures.unconfirmed, "octet"), counted(figures.sent_again, "time"));
  explanation.covers = {&kGapServer, &kEodReplySlow, &kRoundPause, &kDnsTimeoutSignature};
}

void weigh(const Case& the_case, Explanation& explanation) {
  const std::optional<Side> side = unconfirming(the_case);
  if (!side) return weigh_healed(the_case, explanation);
  // That a server hangs up on a client whose octets do not come is a consequence.
  const RefusedReply* refusal = the_case.refusal();
  const bool decided = the_case.all_delivered() || (refusal != nullptr && refusal->code != 421);
  explanation.weight = decided ? kHint : kProven + 2;
  explanation.side = Fault::kNetwork;
  explanation.certainty = Certainty::kSeen;
  const std::string_view who = to_string(*side);
  const std::string_view where = *side == Side::kServer ? "behind" : "in front of";
  const TcpFigures* figures = the_case.tcp_of(*side);
  if (figures == nullptr || !figures->lost()) {
    explanation.headline = fmt::format(
        "{} smtpscope: the {}'s host confirmed nothing more until the kernel gave it up; the way "
        "to it loses packets, or the host is gone",
        where, who);
  } else if (figures->unconfirmed == 0) {
    explanation.headline = fmt::format(
        "{} smtpscope: the {}'s host has stopped to answer: unheard for {}; the way to it loses "
        "packets, or the host is gone",
        where, who, the_case.measured(figures->unheard));
  } else {
    explanation.headline = fmt::format(
        "{} smtpscope: {} to the {} were sent again {} and its host never confirmed {}, unheard "
        "for {}; {}",
        where, counted(figures->unconfirmed, "octet"), who, counted(figures->sent_again, "time"),
        figures->unconfirmed == 1 ? "it" : "them", the_case.measured(figures->unheard),
        only_large_ones(the_case, *side, *figures)
            ? fmt::format("smaller packets had come through, so those of full size ({} octets) "
                          "may be lost on the way (MTU), or the host is gone",
                          figures->segment)
            : std::string("the way to it loses packets, or the host is gone"));
  }
  explanation.covers = {&kClientTimeoutShort, &kLostAfterEod,        &kTxnAbortedDisconnect,
                        &kTxnAbortedTimeout,  &kTxnAbortedTcpReset,  &kTxnAbortedQuit,
                        &kGapServer,          &kGapClient,           &kMissingQuit,
                        &kEodReplySlow,       &kRoundPause,          &kReplyMissing,
                        &kDataStall,          &kPreDotPause,         &kNearRfcTimeout,
                        &kIdleConnection,     &kDnsTimeoutSignature, &kServerClosedWithout421,
                        &kTxnAborted421,      &kUnsolicited421};
}

}  // namespace
}  // namespace path_black_hole_cause

const Cause kPathBlackHoleCause = {
    .id = "path-black-hole", .side = Fault::kNetwork, .weigh = path_black_hole_cause::weigh};

}  // namespace smtpscope
