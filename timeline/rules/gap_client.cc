#include <fmt/format.h>

#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace gap_client {
namespace {

void evaluate(RuleContext& context) {
  const Silence& silence = *context.silence();
  if (silence.silent != Party::kClient) return;
  // A close is no octet that anybody could be waiting for.
  if (silence.owed == kOwedClose) return;
  const Duration length = silence.length();
  Finding finding = context.finding();
  finding.severity = length >= context.threshold(Threshold::kGapClientWarning) ? Severity::kWarning
                     : length >= context.threshold(Threshold::kGapNotice)      ? Severity::kNotice
                                                                               : Severity::kInfo;
  finding.text =
      fmt::format("{} of silence, the client side owed {}", context.measured(length), silence.owed);
  // A program sends a line at once; only a person stops in the middle of one. (How fast single
  // octets come would tell a person too, but most terminals send whole lines.)
  if (silence.owed == kOwedRestOfCommand) {
    finding.severity = Severity::kInfo;
    finding.variant = "typed";
    finding.text += ", as when a person types";
  }
  finding.entries = {context.session().entries};  // what preceded it
  finding.attributes = {{"length", seconds_text(length)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace gap_client

const Rule kGapClient = {
    .id = "gap-client",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .title = "The client side was silent although it was its turn",
    .means =
        "The server had answered everything and waited for the next command or for more of the "
        "message. The client side was busy with something else. The mail only comes later for it, "
        "unless the silence reaches the server's time limit.\n"
        "Variant typed: it stopped in the middle of a command line, as a person does.",
    .causes =
        "The application waits for its user, or for the next mail to send.\n"
        "It produces, reads or signs the message.\n"
        "A scanner on the client host holds the message back.\n"
        "A timer or schedule in the program.\n"
        "Something between client and smtpscope holds the data back.",
    .tell_apart =
        "What was owed tells most: silence before MAIL is waiting for work, silence after 354 or "
        "inside the message is producing it. A round number of seconds is a timer (round-pause). "
        "A silence that grows with the size of the message is work.",
    .advice =
        "Nothing, if it is short and the mail arrives.\n"
        "Read the client's log for what it did in that time.\n"
        "Compare with a trace taken on the client host itself: if the silence is not there, "
        "something in between makes it.",
    .caveats =
        "A person who types commands by hand is slow by nature. A suspended machine falls silent "
        "too.",
    .reference = "RFC 5321 4.5.3.2.7",
    .needs = kNeedsTimes,
    .triggers = kOnSilence,
    .evaluate = gap_client::evaluate,
};

}  // namespace smtpscope
