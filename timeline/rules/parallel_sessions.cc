#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/run_history.h"

namespace smtpscope {
namespace parallel_sessions {
namespace {

/// So many connections at a time are worth a line: the first time that they are two, ten, and then
/// each time that they are twice as many as that.
bool is_a_step(std::uint64_t open, std::uint64_t info, std::uint64_t notice) {
  if (open == info || open == notice) return true;
  if (notice == 0 || open < notice || open % notice != 0) return false;
  const std::uint64_t times = open / notice;
  return (times & (times - 1)) == 0;
}

/// The newest connection completes a storm that was none before it.
bool begins_a_storm(const ClientRecord& client, std::uint64_t reconnects, Duration window) {
  const auto count = static_cast<std::size_t>(
      std::clamp<std::uint64_t>(reconnects, 2, ClientRecord::kKeptOpens - 1));
  if (client.sessions < count) return false;
  if (client.opened(0) - client.opened(count - 1) > window) return false;
  return client.sessions == count || client.opened(1) - client.opened(count) > window;
}

void evaluate(RuleContext& context) {
  const ClientRecord* client = context.history().find_client(context.session().client_host);
  if (client == nullptr || client->sessions < 2) return;
  const std::uint64_t notice = context.threshold_count(Threshold::kParallelNotice);
  const bool step =
      client->at_new_most &&
      is_a_step(client->open, context.threshold_count(Threshold::kParallelInfo), notice);
  const Duration window = context.threshold(Threshold::kReconnectWindow);
  const bool storm =
      begins_a_storm(*client, context.threshold_count(Threshold::kReconnects), window);
  if (!step && !storm) return;

  Finding finding = context.finding();
  if (client->open >= notice) finding.severity = Severity::kNotice;
  finding.text = fmt::format("{} connections from {} are open at a time", client->open,
                             context.session().client_host);
  if (storm) {
    finding.variant = "reconnect-storm";
    finding.text = fmt::format(
        "{} opened {} connections within {}; {} of them are open", context.session().client_host,
        context.threshold_count(Threshold::kReconnects), context.measured(window), client->open);
  }
  finding.attributes = {{"open", std::to_string(client->open)},
                        {"sessions", std::to_string(client->sessions)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace parallel_sessions

const Rule kParallelSessions = {
    .id = "parallel-sessions",
    .category = Category::kClient,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .title = "A client host has many connections",
    .means =
        "One address holds several connections at a time. Mail servers may do that; servers set a "
        "limit and answer 421 beyond it. It is told when there are two, ten, twenty and so on.\n"
        "Variant reconnect-storm: one address opened many connections within some seconds.",
    .causes =
        "A mail server that delivers several mails at once.\n"
        "A program that opens a connection for each mail.\n"
        "A client that tries again at once after each failure.\n"
        "Several hosts behind one address (NAT).",
    .tell_apart =
        "See how the sessions end: messages in all of them are a busy sender, refusals and quick "
        "closes are a client that tries again and again. Different EHLO names are different hosts.",
    .advice =
        "Nothing needs to be done as long as the server does not refuse connections.\n"
        "Limit the client's parallel deliveries to this server, or send several mails over one "
        "connection.\n"
        "Raise the server's limit per client if this one is trusted.",
    .caveats =
        "Behind one address there may be many hosts, and all programs of the tracer's own host.",
    .reference = "RFC 5321 4.5.4.1, 4.5.4.2; Postfix smtpd_client_connection_count_limit",
    .needs = kNeedsTimes,
    .uses = kNeedsHistory,
    .triggers = kOnOpened,
    .evaluate = parallel_sessions::evaluate,
};

}  // namespace smtpscope
