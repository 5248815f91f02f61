#include <fmt/format.h>

#include <chrono>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace client_gave_up_waiting_cause {
namespace {

/// No command is given less than two minutes (RFC 5321 4.5.3.2); a program that waits for less than
/// this was set up so.
constexpr Duration kShort = std::chrono::minutes(1);

/// The client's program says that its time was up, in a log that has no times, or of a connection
/// whose end it does not show.
bool tells_of_timeout(const Case& the_case, Explanation& explanation) {
  const RemarkNote* told = the_case.remark(RemarkKind::kTimeout);
  if (told == nullptr || told->by == Side::kServer) return false;
  if (told->awaited.empty() || told->outlived) return false;
  explanation.certainty = Certainty::kSeen;
  explanation.headline = fmt::format(
      "the client's time limit{} was over while it waited for {}; its log says \"{}\"; the "
      "server's slow step is the trouble",
      told->length ? fmt::format(" of {}", the_case.measured(*told->length)) : std::string(),
      told->awaited, told->text);
  return true;
}

void weigh(const Case& the_case, Explanation& explanation) {
  if (never_greeted(the_case.session())) return;
  if (the_case.refusal() != nullptr && the_case.totals().transactions == 0) return;
  const LastSilence* wait = the_case.wait_given_up();
  if (wait != nullptr) {
    explanation.certainty = Certainty::kLikely;
    const bool arrived = confirmed_all(the_case, Side::kServer);
    explanation.headline = fmt::format(
        "the client gave up after {} of waiting for {}; that is its time limit{}, and {}",
        the_case.measured(wait->length()), wait->owed,
        wait->length() < kShort ? " (RFC 5321 grants minutes)" : "",
        arrived ? "the server's program, whose host has confirmed all that it was sent, is what "
                  "kept it waiting"
                : "the server's slow step is the trouble");
    if (arrived) explanation.not_it = {kNotTheNetwork};
  } else if (!tells_of_timeout(the_case, explanation)) {
    return;
  }
  explanation.weight = kSpecific;
  explanation.side = Fault::kServer;
  explanation.covers = {&kClientTimeoutShort, &kLostAfterEod, &kTxnAbortedDisconnect,
                        &kTxnAbortedTimeout,  &kGapServer,    &kMissingQuit,
                        &kEodReplySlow,       &kRoundPause,   &kTxnAbortedTcpReset,
                        &kTxnAbortedQuit,     &kReplyMissing};
}

}  // namespace
}  // namespace client_gave_up_waiting_cause

const Cause kClientGaveUpWaitingCause = {.id = "client-gave-up-waiting",
                                         .side = Fault::kClient,
                                         .weigh = client_gave_up_waiting_cause::weigh};

}  // namespace smtpscope
