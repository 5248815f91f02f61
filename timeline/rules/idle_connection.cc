#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

// RFC 5321 4.5.3.2.7: a server should wait at least five minutes for the next command.
constexpr Duration kServerMinimum = std::chrono::seconds(300);
constexpr Duration kFloor = std::chrono::seconds(30);

/// The server gave up on a silent client: by 421 or by closing.
void report_timed_out(RuleContext& context, std::string_view how) {
  const LastSilence& silence = context.session().last_silence;
  if (silence.silent != Party::kClient || silence.owed != kOwedCommand) return;
  if (silence.length() < kFloor) return;
  Finding finding = context.finding();
  const bool patient = silence.length() >= kServerMinimum;
  finding.severity = patient ? Severity::kNotice : Severity::kWarning;
  finding.fault = patient ? Fault::kClient : Fault::kServer;
  finding.variant = "timed-out";
  finding.text =
      fmt::format("after {} without a command the server {}{}", duration_text(silence.length()),
                  how, patient ? "" : ", sooner than the five minutes it should wait");
  if (context.entry() != nullptr) finding.entries = {context.entry()->number};
  finding.attributes = {{"idle", seconds_text(silence.length())}};
  if (const std::optional<RoundMatch> match =
          match_round(silence.length(), context.rtt(), context.thresholds())) {
    finding.attributes.emplace_back("round", std::to_string(kRoundSeconds[match->index]));
  }
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  const LastSilence& silence = context.session().last_silence;
  if (const Reply* reply = context.reply()) {
    const bool hangup = reply->code == 421 || reply->code == 521;
    if (hangup && reply->answers == Answers::kUnsolicited && context.transaction() == nullptr &&
        silence.to == context.entry()->first) {
      report_timed_out(context, "ended the session");
    }
    return;
  }
  if (const Closed* closed = context.closed()) {
    const SessionState& session = context.session();
    if (closed->from == Side::kServer && !closed->by_proxy &&
        session.first_closer == Side::kServer && session.hangup_code == 0 &&
        context.transaction() == nullptr && silence.to == context.now()) {
      report_timed_out(context, "closed the connection");
    }
    return;
  }
  const Silence& now = *context.silence();
  if (now.silent != Party::kClient || now.owed != kOwedCommand || now.transaction != 0) return;
  if (now.length() < kFloor) return;
  Finding finding = context.finding();
  finding.variant = "held";
  finding.text = fmt::format("the client side held the connection for {} without using it",
                             duration_text(now.length()));
  finding.attributes = {{"idle", seconds_text(now.length())}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kIdleConnection = {
    .id = "idle-connection",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .title = "The connection was kept open without a transaction",
    .means =
        "The client side held the connection without using it. If the server ended it with a "
        "timeout, compare the time with the five minutes that the standard asks servers to "
        "wait: earlier is the server's impatience, later the client's neglect.\n"
        "A command that the client sends just then gets lost (see unsolicited-421).",
    .caveats =
        "A firewall or NAT that forgets idle connections ends them by silence or reset, not "
        "with 421.",
    .reference = "RFC 5321 4.5.3.2.7",
    .triggers = kOnSilence | kOnReply | kOnClose,
    .evaluate = evaluate,
};

}  // namespace smtpscope
