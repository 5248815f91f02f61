#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace idle_connection {
namespace {

/// The length that somebody may have given to the timer behind a wait.
int nearest_round(Duration wait) {
  const auto distance = [wait](int seconds) {
    const Duration away = wait - std::chrono::seconds(seconds);
    return away < Duration::zero() ? -away : away;
  };
  return *std::ranges::min_element(kRoundSeconds, {}, distance);
}

/// NOOP and RSET only keep the connection open.
void tell_keep_alives(const RuleContext& context, Finding& finding) {
  const std::uint32_t count = context.session().keep_alives;
  if (count == 0) return;
  finding.text += fmt::format(", after {} NOOP or RSET in a row", count);
  finding.attributes.emplace_back("keep_alives", std::to_string(count));
}

/// The server gave up on a silent client: by 421 or by closing.
void report_timed_out(RuleContext& context, std::string_view how) {
  const LastSilence& silence = context.session().last_silence;
  if (silence.silent != Party::kClient || silence.owed != kOwedCommand) return;
  if (silence.length() < context.threshold(Threshold::kIdleHeld)) return;
  Finding finding = context.finding();
  // The clocks of the server and of smtpscope need not agree to the millisecond.
  const bool patient = silence.length() + context.threshold(Threshold::kRoundEarly) >=
                       context.threshold(Threshold::kIdleTimedOut);
  finding.severity = patient ? Severity::kNotice : Severity::kWarning;
  finding.fault = patient ? Fault::kClient : Fault::kServer;
  finding.variant = "timed-out";
  finding.text = fmt::format("after {} without a command the server {}",
                             context.measured(silence.length()), how);
  finding.entries = {context.session().last_reply.entry};
  if (context.entry() != nullptr) finding.entries.push_back(context.entry()->number);
  finding.attributes = {{"idle", seconds_text(silence.length())},
                        {"nearest_round", std::to_string(nearest_round(silence.length()))}};
  if (const std::optional<RoundMatch> match =
          match_round(silence.length(), context.rtt(), context.thresholds())) {
    finding.text += fmt::format(" (a limit of {} s)", kRoundSeconds[match->index]);
    finding.attributes.emplace_back("round", std::to_string(kRoundSeconds[match->index]));
  }
  if (!patient) finding.text += ", sooner than the five minutes it should wait";
  tell_keep_alives(context, finding);
  context.fire(std::move(finding));
}

/// The silence that `context` is about ended the session: a 421, which may cross a command that the
/// client sends just then.
bool ended_by(const RuleContext& context, const Entry& hangup) {
  const SessionState& session = context.session();
  if (!hangup.unsolicited || context.transaction() != nullptr) return false;
  return session.last_silence.to == hangup.first ||
         session.last_silence.to == session.last_command.first;
}

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  if (const Reply* reply = context.reply()) {
    const bool hangup = reply->code == 421 || reply->code == 521;
    if (hangup && ended_by(context, *context.entry())) {
      report_timed_out(context, "ended the session");
    }
    return;
  }
  if (const Closed* closed = context.closed()) {
    if (closed->from == Side::kServer && !closed->by_proxy &&
        session.first_closer == Side::kServer && session.hangup_code == 0 &&
        context.transaction() == nullptr && session.last_silence.to == context.now()) {
      report_timed_out(context, "closed the connection");
    }
    return;
  }
  const Silence& now = *context.silence();
  if (now.silent != Party::kClient || now.owed != kOwedCommand || now.transaction != 0) return;
  if (now.length() < context.threshold(Threshold::kIdleHeld)) return;
  Finding finding = context.finding();
  finding.variant = "held";
  finding.text = fmt::format("the client side held the connection for {} without using it",
                             context.measured(now.length()));
  finding.entries = {session.last_reply.entry};
  finding.attributes = {{"idle", seconds_text(now.length())},
                        {"nearest_round", std::to_string(nearest_round(now.length()))}};
  tell_keep_alives(context, finding);
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace idle_connection

const Rule kIdleConnection = {
    .id = "idle-connection",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .needs = kNeedsTimes,
    .triggers = kOnSilence | kOnReply | kOnClose,
    .only = kRefusal,
    .evaluate = idle_connection::evaluate,
};

}  // namespace smtpscope
