#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/trace_limits.h"

namespace smtpscope {
namespace lost_after_eod {
namespace {

std::string_view case_of(std::uint16_t late_reply) {
  switch (late_reply / 100) {
    case 2:
      return "accepted";
    case 4:
    case 5:
      return "refused";
    default:
      return "unknown";
  }
}

std::string_view fate(std::uint16_t late_reply) {
  switch (late_reply / 100) {
    case 2:
      return "the server accepted it, so a client that tries again delivers it twice";
    case 4:
    case 5:
      return "the server refused it, so nothing was delivered";
    default:
      return "no reply came: whether it was delivered is not known";
  }
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->data_sent) return;
  // A lone dot after everybody was refused (RFC 2920 3.1): there is nothing to lose.
  if (ended->rcpt_sent > 0 && ended->rcpt_refused == ended->rcpt_sent) return;
  const SessionState& session = context.session();
  const bool no_reply = ended->final_code == 0 && session.first_closer.has_value();
  if (!no_reply && !ended->final_undelivered) return;
  if (ended->final_code == 0 && session.holes > 0) {
    context.not_evaluated(kHiddenByHoles);
    return;
  }

  Finding finding = context.finding();
  finding.variant = case_of(ended->final_code);
  finding.entries = {ended->first_entry, ended->data_entry, ended->final_entry};
  std::string how;
  if (session.first_closer) {
    const CloseRecord& close = *session.closes[index(*session.first_closer)];
    // It may have closed while the last octets were still under way.
    const Duration waited = std::max(Duration::zero(), close.time - ended->data_ended);
    how = fmt::format("the {} side closed first, {} after the end of the message",
                      to_string(*session.first_closer), duration_text(waited));
    finding.attributes = {{"closed_first", std::string(to_string(*session.first_closer))},
                          {"close", std::string(to_string(close.kind))},
                          {"waited", seconds_text(waited)}};
  } else {
    how = "nobody took it";
  }
  finding.text =
      fmt::format("the whole message was sent, but no final reply reached the client side ({}): {}",
                  how, fate(ended->final_code));
  if (ended->final_code != 0) {
    finding.attributes.emplace_back("late_reply", std::to_string(ended->final_code));
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace lost_after_eod

const Rule kLostAfterEod = {
    .id = "lost-after-eod",
    .category = Category::kTransaction,
    .severity = Severity::kError,
    .fault = Fault::kNetwork,
    .needs = kNeedsCloseKind | kNeedsContent,
    .triggers = kOnTransactionEnd,
    .evaluate = lost_after_eod::evaluate,
};

}  // namespace smtpscope
