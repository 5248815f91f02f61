#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const Reply* reply = context.reply();
  if (reply->answers != Answers::kGreeting || !context.session().connected) return;
  const Entry& greeting = *context.entry();
  const Duration delay = greeting.last - context.session().connected_at;
  using std::chrono::seconds;
  if (delay < seconds(1)) return;
  Finding finding = context.finding();
  finding.severity = delay >= seconds(300)  ? Severity::kError
                     : delay >= seconds(30) ? Severity::kWarning
                     : delay >= seconds(5)  ? Severity::kNotice
                                            : Severity::kInfo;
  const Duration teaser = greeting.last - greeting.first;
  if (teaser >= seconds(1)) {
    finding.variant = "split";
    finding.text = fmt::format(
        "the greeting was complete {} after the connection; its first line came {} before the last",
        duration_text(delay), duration_text(teaser));
    finding.attributes = {{"delay", seconds_text(delay)}, {"teaser", seconds_text(teaser)}};
  } else {
    finding.variant = "flat";
    finding.text = fmt::format("the greeting came {} after the connection", duration_text(delay));
    finding.attributes = {{"delay", seconds_text(delay)}};
  }
  finding.entries = {greeting.number};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kGreetingDelay = {
    .id = "greeting-delay",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kServer,
    .title = "The server took its time with the greeting",
    .means =
        "A delay before the greeting often is deliberate, to catch clients that do not wait for "
        "it; or the server looks up the client's name, asks its ident service, or is short of "
        "capacity.\n"
        "If it is about 5, 10 or 20 s, check the name service for the client's address first. A "
        "greeting in two parts, the last one late, is a test by the server.",
    .caveats = "The first connection after a while may include the start of a server process.",
    .reference = "RFC 5321 4.5.3.2.1; Postfix POSTSCREEN_README",
    .triggers = kOnReply,
    .evaluate = evaluate,
};

}  // namespace smtpscope
