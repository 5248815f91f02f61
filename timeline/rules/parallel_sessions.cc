#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "capture/fidelity.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/run_history.h"

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
  // The text of a client program names no address: whoever runs it may run it twice.
  const std::string& host = context.session().client_host;
  if ((context.session().fidelity.unknown & kUnknownOctets) != 0 &&
      host.find_first_of(".:") == std::string::npos) {
    return;
  }
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
    .needs = kNeedsTimes,
    .uses = kNeedsHistory,
    .triggers = kOnOpened,
    .evaluate = parallel_sessions::evaluate,
};

}  // namespace smtpscope
