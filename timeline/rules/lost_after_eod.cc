#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
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
  const bool no_reply = ended->final_code == 0 && context.session().first_closer.has_value();
  if (!no_reply && !ended->final_undelivered) return;

  Finding finding = context.finding();
  const std::string_view closer =
      context.session().first_closer ? to_string(*context.session().first_closer) : "nobody";
  const Duration waited = context.now() - ended->data_ended;
  finding.variant = case_of(ended->final_code);
  finding.text = fmt::format(
      "the whole message was sent, but no final reply reached the client side ({} closed first, "
      "{} after the end of the message): {}",
      closer, duration_text(waited), fate(ended->final_code));
  finding.entries = {ended->first_entry};
  if (ended->final_entry != 0) finding.entries.push_back(ended->final_entry);
  finding.attributes = {{"closed_first", std::string(closer)}, {"waited", seconds_text(waited)}};
  if (ended->final_code != 0) {
    finding.attributes.emplace_back("late_reply", std::to_string(ended->final_code));
  }
  context.fire(std::move(finding));
}

}  // namespace

const Rule kLostAfterEod = {
    .id = "lost-after-eod",
    .category = Category::kTransaction,
    .severity = Severity::kError,
    .fault = Fault::kNetwork,
    .title = "The message was sent completely, but its acceptance never reached the client",
    .means =
        "This is the one moment where SMTP cannot tell whether a mail was delivered. If the "
        "server accepted it, the client does not know, tries again, and the recipient gets the "
        "mail twice.\n"
        "Likely causes, in order: the client's time limit is shorter than the server's work "
        "after the message (filters, virus scan); a firewall or NAT forgot the connection; a "
        "crash on either side.\n"
        "What to do: look for the queue id or Message-ID in the server's log; raise the "
        "client's time limit to the ten minutes that the standard asks for; make the server "
        "answer sooner.",
    .caveats =
        "None: it is always worth knowing. The text says which of the three cases it was "
        "(accepted, refused, unknown).",
    .reference = "RFC 5321 4.5.3.2.6, 6.1, 4.1.1.10; RFC 1047",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
