#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace half_close {
namespace {

constexpr std::string_view kClientGone = "replies-after-client-gone";

/// A reply that came when the client had closed. The first of each kind is told.
void on_reply(RuleContext& context) {
  const Entry& entry = *context.entry();
  const auto& close = context.session().closes[index(Side::kClient)];
  if (!close || entry.item->side != Side::kServer || entry.by_proxy) return;
  // missing-quit owns a client that does not wait for the answer to QUIT.
  if (context.answers(Verb::kQuit)) return;
  // One that was never finished began before the close, and tells of no reader behind it.
  if (!context.reply()->complete || entry.first < close->time) return;
  const bool gone = entry.undelivered || close->kind != CloseKind::kFin;
  const std::string_view variant = gone ? kClientGone : "";
  if (context.fired(kHalfClose, variant) > 0) return;

  const Reply& reply = *context.reply();
  const std::string said = quoted_reply(reply);
  const std::string_view asked = asked_by(reply.answers, reply.verb);
  const Duration since = entry.first - close->time;
  Finding finding = context.finding();
  finding.variant = variant;
  if (gone) {
    finding.severity = Severity::kNotice;
    finding.text =
        fmt::format("the reply {} to {} came {} after the client side had gone: nobody read it",
                    said, asked, duration_text(since));
  } else {
    finding.text = fmt::format(
        "the client side had closed its direction and still took replies: {} to {} came {} later",
        said, asked, duration_text(since));
  }
  if (context.answered() != nullptr) finding.entries.push_back(context.answered()->entry);
  finding.attributes = {
      {"code", std::to_string(reply.code)}, {"after", seconds_text(since)}, {"closed", "client"}};
  context.fire(std::move(finding));
}

/// What the client sent when the server had closed.
void on_session_end(RuleContext& context) {
  const SessionState& session = context.session();
  const auto& close = session.closes[index(Side::kServer)];
  const std::uint64_t octets = session.octets_behind_close[index(Side::kClient)];
  // Behind a farewell the server may close, whatever is on its way to it. TLS says good-bye itself.
  const bool farewell = session.hangup_code != 0 || session.quit_answered;
  if (!close || close->by_proxy || octets == 0 || farewell || session.tls_hides()) return;
  Finding finding = context.finding();
  finding.fault = Fault::kServer;
  finding.text = fmt::format(
      "the client side sent {} more octets after the server had closed its direction", octets);
  finding.entries = {session.last_command.entry};
  finding.attributes = {{"octets", std::to_string(octets)}, {"closed", "server"}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.reply() != nullptr) {
    on_reply(context);
  } else {
    on_session_end(context);
  }
}

}  // namespace
}  // namespace half_close

const Rule kHalfClose = {
    .id = "half-close",
    .category = Category::kNetwork,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .needs = kNeedsCloseKind,
    .triggers = kOnReply | kOnSessionEnd,
    .only = kBehindClose,
    .evaluate = half_close::evaluate,
};

}  // namespace smtpscope
