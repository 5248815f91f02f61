#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/event.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/trace_limits.h"
#include "timeline/rules/wire_text.h"
#include "timeline/state/pending_exchanges.h"

namespace smtpscope {
namespace server_closed_without_421 {
namespace {

/// RFC 5321 3.8: a server may close when the client was silent for as long as 4.5.3.2 asks.
bool waited_long_enough(const RuleContext& context) {
  const LastSilence& silence = context.session().last_silence;
  return silence.silent == Party::kClient && silence.to == context.now() &&
         silence.length() >= context.threshold(Threshold::kIdleTimedOut);
}

void on_close(RuleContext& context) {
  const SessionState& session = context.session();
  const Closed& closed = *context.closed();
  // Who closes second answers the other's close.
  if (closed.from != Side::kServer || closed.by_proxy || session.first_closer != Side::kServer) {
    return;
  }
  if (session.closes[index(Side::kServer)]->behind_fin) return;  // told at the FIN
  // A timeout or error of the connection is no close by the server.
  if (closed.kind != CloseKind::kFin && closed.kind != CloseKind::kReset) return;
  if (session.hangup_code != 0 || session.quit_answered) return;
  const bool refused = session.greeting == SessionState::Greeting::kRefused;
  if (refused && session.quit_sent) return;
  if (session.tls_hides() || session.holes > 0) {
    context.not_evaluated(hidden_part(session));
    return;
  }
  if (waited_long_enough(context)) return;
  // A log without the dialogue shows none of its words.
  if (session.mid_session && session.last_reply.entry == 0) return;
  // RFC 8314 3.3: there it waits for TLS, and owes who speaks in the clear no SMTP.
  if (session.on_submissions_port() && session.greeting == SessionState::Greeting::kPending) return;

  Finding finding = context.finding();
  const std::string_view how =
      closed.kind == CloseKind::kReset ? "reset the connection" : "closed the connection";
  const LastRefusal* refusal = session.last_refusal.get();
  const bool explained =
      refusal != nullptr && refusal->entry == session.last_reply.entry &&
      context.now() - refusal->time <= context.threshold(Threshold::kClosedAfterError);
  if (explained) {
    const Duration since = context.now() - refusal->time;
    finding.variant = "after-error";
    finding.severity = Severity::kNotice;
    finding.text =
        fmt::format("the server {} {} after its reply {}, which seems to be the reason", how,
                    context.measured(since), quoted_reply(refusal->code, refusal->text));
    finding.entries = {refusal->entry};
    finding.attributes = {{"after", seconds_text(since)}, {"code", std::to_string(refusal->code)}};
  } else {
    const LastReply& reply = session.last_reply;
    const PendingExchange* awaited = context.pending().awaited();
    finding.text = fmt::format("the server {} without 421", how);
    if (awaited != nullptr && !awaited->answered) {
      finding.text += fmt::format(", {} after {}, which it had not answered",
                                  context.measured(context.now() - awaited->last),
                                  asked_by(awaited->kind, awaited->verb));
      finding.entries = {awaited->entry};
    } else if (reply.entry != 0) {
      finding.text +=
          fmt::format(", {} after its reply {} to {}", context.measured(context.now() - reply.last),
                      reply.code, asked_by(reply.answers, reply.verb));
      finding.entries = {reply.entry};
    } else {
      finding.text += ", before it had said anything";
    }
    finding.attributes = {{"kind", std::string(to_string(closed.kind))}};
  }
  context.fire(std::move(finding));
}

/// RFC 5321 4.1.1.10: behind its 221 the server closes.
void on_session_end(RuleContext& context) {
  const SessionState& session = context.session();
  if (session.tls_hides()) context.not_evaluated(kHiddenByTls);
  const LastReply& reply = session.last_reply;
  const bool farewell =
      reply.code == 221 && reply.verb == Verb::kQuit && reply.answers == Answers::kCommand;
  if (!farewell || session.tls_hides()) return;
  const auto& close = session.closes[index(Side::kServer)];
  const Duration open = (close ? close->time : context.now()) - reply.last;
  if (open < context.threshold(Threshold::kServerLingers)) return;
  Finding finding = context.finding();
  finding.variant = "lingers";
  finding.severity = Severity::kInfo;
  finding.text = fmt::format("the server kept the connection open for {} after its answer to QUIT",
                             context.measured(open));
  finding.entries = {reply.entry};
  finding.attributes = {{"open", seconds_text(open)}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.closed() != nullptr) {
    on_close(context);
  } else {
    on_session_end(context);
  }
}

}  // namespace
}  // namespace server_closed_without_421

const Rule kServerClosedWithout421 = {
    .id = "server-closed-without-421",
    .category = Category::kServer,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .uses = kNeedsCloseKind,
    .triggers = kOnClose | kOnSessionEnd,
    .evaluate = server_closed_without_421::evaluate,
};

}  // namespace smtpscope
