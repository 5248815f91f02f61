#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/trace_limits.h"
#include "timeline/rules/wire_text.h"
#include "timeline/state/pending_exchanges.h"

namespace smtpscope {
namespace reply_missing {
namespace {

/// What waited for a reply when the session ended.
struct Unanswered {
  static constexpr std::size_t kNamed = 8;

  std::uint64_t count = 0;
  std::string names;  // of the first
  std::vector<std::uint64_t> entries;
  Time oldest, youngest;
};

/// Rules 2.0.3: QUIT, and what was sent behind it, is nobody's loss.
Unanswered unanswered(const RuleContext& context) {
  Unanswered found;
  for (const PendingExchange& each : context.pending().kept()) {
    if (each.verb == Verb::kQuit) break;
    if (each.answered) continue;
    if (found.count == 0) found.oldest = each.last;
    found.youngest = each.last;
    if (++found.count > Unanswered::kNamed) continue;
    found.names += fmt::format("{}{}", found.count > 1 ? ", " : "", asked_by(each.kind, each.verb));
    found.entries.push_back(each.entry);
  }
  if (found.count > Unanswered::kNamed) {
    found.names += fmt::format(" and {} more", found.count - Unanswered::kNamed);
  }
  return found;
}

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  if (session.tls_hides()) {
    context.not_evaluated(kHiddenByTls);
    return;
  }
  // RFC 5321 3.8, 3.1: nothing more was to be answered.
  if (session.hangup_code != 0 || session.greeting == SessionState::Greeting::kRefused) return;
  if (!session.connected) return;
  const Unanswered lost = unanswered(context);
  if (lost.count == 0) return;
  if (session.holes > 0) {
    context.not_evaluated(kHiddenByHoles);
    return;
  }
  const CloseRecord* close =
      session.first_closer ? &*session.closes[index(*session.first_closer)] : nullptr;
  const bool ended_by_proxy = close != nullptr && close->by_proxy;
  const Time until = close != nullptr ? close->time : context.now();
  const Duration waited = std::max(Duration::zero(), until - lost.oldest);
  // The trace, or smtpscope, ended the wait: that proves nothing while it was short.
  if ((close == nullptr || ended_by_proxy) &&
      waited < context.threshold(Threshold::kReplyMissingAfter)) {
    return;
  }

  Finding finding = context.finding();
  finding.entries = lost.entries;
  finding.text = fmt::format("no reply came to {}", lost.names);
  if (close == nullptr || ended_by_proxy) {
    finding.fault = Fault::kServer;
    finding.text += fmt::format(", although it was waited for {}", context.measured(waited));
  } else if (*session.first_closer == Side::kServer) {
    finding.fault = Fault::kServer;
    const std::string_view last = lost.count == 1 ? "it" : "the last of them";
    finding.text += close->time < lost.youngest
                        ? fmt::format(": the server had closed the connection before {} came", last)
                        : fmt::format(": the server closed the connection first, {} after {}",
                                      context.measured(close->time - lost.youngest), last);
  } else {
    // The server may have been about to answer.
    finding.severity = Severity::kWarning;
    finding.fault = Fault::kClient;
    finding.text += fmt::format(": the client side closed the connection first, having waited {}",
                                context.measured(waited));
  }
  // Rules 1.11, 7: offered, not asserted.
  if (session.orphans == 1 && lost.count == 1) {
    finding.text +=
        "; an earlier reply answered nothing: if one reply came too early, all between are shifted "
        "by one";
    finding.entries.push_back(session.last_orphan_entry);
  }
  finding.attributes = {{"missing", std::to_string(lost.count)}, {"waited", seconds_text(waited)}};
  if (session.first_closer) {
    finding.attributes.emplace_back("closed_first", to_string(*session.first_closer));
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace reply_missing

const Rule kReplyMissing = {
    .id = "reply-missing",
    .category = Category::kServer,
    .severity = Severity::kError,
    .fault = Fault::kUnknown,
    .uses = kNeedsCloseKind,
    .triggers = kOnSessionEnd,
    .evaluate = reply_missing::evaluate,
};

}  // namespace smtpscope
