#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/rfc_timeouts.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace txn_aborted_timeout {
namespace {

/// Words by which servers say that they would wait no longer, and RFC 3463's 4.4.2.
bool speaks_of_timeout(const Reply* reply) {
  return reply != nullptr && reply->code == 421 && !reply->lines.empty() &&
         mentions(reply->lines.back().text, {"timeout", "time out", "time-out", "timed out",
                                             "timed-out", "idle", "inactiv", "4.4.2"});
}

/// A peer gave up, rather than the network or smtpscope.
bool decided(const CloseRecord& close) {
  return !close.by_proxy && (close.kind == CloseKind::kFin || close.kind == CloseKind::kReset);
}

struct Ending {
  bool server_said_so = false;
  bool by_client = false;  // closed
  bool by_server = false;  // closed
  /// What ended the transaction also ended the last silence: else that is not the reason.
  bool ended_silence = false;
};

Ending ending_of(const RuleContext& context) {
  const SessionState& session = context.session();
  const LastSilence& silence = session.last_silence;
  Ending ending;
  if (const Reply* reply = context.reply()) {
    ending.server_said_so = speaks_of_timeout(reply);
    // A 421 may cross the command that ended the silence.
    ending.ended_silence =
        silence.to == context.entry()->first ||
        (context.entry()->unsolicited && silence.to == session.last_command.first);
    return ending;
  }
  // A transaction that waits for replies ends later than the close that was its reason.
  if (!session.first_closer) return ending;
  const CloseRecord& close = *session.closes[index(*session.first_closer)];
  if (!decided(close)) return ending;
  ending.by_client = *session.first_closer == Side::kClient;
  ending.by_server = !ending.by_client;
  ending.ended_silence = silence.to == close.time;
  return ending;
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (ended->rcpt_accepted == 0 || ended->aborted_by == AbortedBy::kNothing) return;
  const LastSilence& silence = context.session().last_silence;
  const Ending ending = ending_of(context);
  const bool client_silent = ending.ended_silence && silence.silent == Party::kClient;
  const bool server_silent = ending.ended_silence && silence.silent == Party::kServer;
  const bool server_gave_up = client_silent && ending.by_server &&
                              silence.length() >= context.threshold(Threshold::kTimeoutClient);
  const bool client_gave_up = server_silent && ending.by_client &&
                              silence.length() >= context.threshold(Threshold::kTimeoutServer);
  if (!ending.server_said_so && !server_gave_up && !client_gave_up) return;

  Finding finding = context.finding();
  // A server may also speak of a timeout behind it that kept the client waiting.
  const bool by_server_silence = server_silent;
  finding.fault = by_server_silence ? Fault::kServer : Fault::kClient;
  finding.variant = by_server_silence ? "server-silent" : "client-silent";
  finding.attributes = {{"silent", by_server_silence ? "server" : "client"}};
  if (client_silent || server_silent) {
    finding.text =
        fmt::format("the {} side was silent for {}, then the {} gave up",
                    by_server_silence ? "server" : "client", context.measured(silence.length()),
                    ending.by_client ? "client side" : "server");
    finding.attributes.emplace_back("silence", seconds_text(silence.length()));
    if (const auto limit = rfc_timeout(silence.owed)) {
      finding.text += fmt::format("; RFC 5321 {} asks to wait {} at least for {}", limit->section,
                                  duration_text(limit->least), silence.owed);
      finding.attributes.emplace_back("rfc_least", seconds_text(limit->least));
    }
  } else {
    finding.text = "the server gave the transaction up";
  }
  if (ending.server_said_so) {
    finding.text += fmt::format(" (\"421 {}\")", context.reply()->lines.back().text);
  }
  finding.entries = {ended->first_entry};
  if (context.entry() != nullptr) finding.entries.push_back(context.entry()->number);
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace txn_aborted_timeout

const Rule kTxnAbortedTimeout = {
    .id = "txn-aborted-timeout",
    .category = Category::kTiming,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .uses = kNeedsTimes,
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_timeout::evaluate,
};

}  // namespace smtpscope
