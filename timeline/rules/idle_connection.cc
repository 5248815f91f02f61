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
    .title = "The connection was kept open without a transaction",
    .means =
        "The client side held the connection without using it. No mail is affected, but the server "
        "has less room for others, and a command that the client sends just when the server gives "
        "up gets lost.\n"
        "Variant held: the client went on, or ended the session itself. Variant timed-out: the "
        "server ended it. The standard asks servers to wait five minutes: sooner is the server's "
        "impatience, later the client's neglect.",
    .causes =
        "A pool of connections that keeps them for the next mail.\n"
        "A program that forgot to say QUIT, or hangs.\n"
        "Variant timed-out, sooner than 300 s: a server set to be impatient, or under load "
        "(Postfix "
        "waits 10 s then).",
    .tell_apart =
        "NOOP or RSET at intervals (attribute keep_alives) is a pool. Silence until the server "
        "gives up is a program that forgot its connection. The nearest round length (attribute "
        "nearest_round) is a guess at whose time limit it was: look for it in the settings.",
    .advice =
        "Nothing, as long as the mail goes through.\n"
        "Set the pool's idle limit below the server's, which the variant timed-out shows.\n"
        "Give an impatient server the five minutes of the standard, unless it is under load.",
    .caveats =
        "A firewall or NAT that forgets idle connections ends them by silence or reset, not with "
        "421.",
    .reference = "RFC 5321 4.5.3.2.7; Postfix smtpd_timeout, smtp_connection_cache_time_limit",
    .needs = kNeedsTimes,
    .triggers = kOnSilence | kOnReply | kOnClose,
    .only = kRefusal,
    .evaluate = idle_connection::evaluate,
};

}  // namespace smtpscope
