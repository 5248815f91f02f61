#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace starttls_injection_client {
namespace {

void evaluate(RuleContext& context) {
  const Item& item = *context.entry()->item;
  const auto* junk = std::get_if<Junk>(&item.body);
  if (junk == nullptr || junk->reason != JunkReason::kBehindStartTls) return;
  if (item.side != Side::kClient) return;
  // The lines behind the first belong to it.
  if (context.fired(kStarttlsInjectionClient) > 0) return;

  const SessionState& session = context.session();
  // Octets behind the 220 may also come from a client that has no TLS to offer.
  const bool before_reply = context.entry()->first <= session.last_reply.last;
  Finding finding = context.finding();
  finding.text =
      fmt::format("the client side sent {} in the clear behind STARTTLS and before TLS began, {}",
                  quoted(junk->text),
                  before_reply ? "without waiting for the server's 220" : "after the server's 220");
  finding.entries.push_back(session.last_command.entry);
  finding.attributes = {{"octets", std::to_string(item.end - item.begin)},
                        {"before_reply", before_reply ? "yes" : "no"}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace starttls_injection_client

const Rule kStarttlsInjectionClient = {
    .id = "starttls-injection-client",
    .category = Category::kSecurity,
    .severity = Severity::kError,
    .fault = Fault::kClient,
    .title = "Commands in the clear were sent behind STARTTLS",
    .means =
        "Behind STARTTLS nothing may be sent until TLS has begun. What stands there in the clear "
        "was not protected: somebody on the way can have put it there. A server that keeps it and "
        "carries it out after the switch obeys commands that the real client never sent.",
    .causes =
        "A client that sends commands ahead and does not know that STARTTLS must be the last of a "
        "group.\n"
        "An attack on the session, or a test for one.\n"
        "After the 220: a client, or a person, that has no TLS and simply goes on.",
    .tell_apart =
        "If each session of this client looks like that, it is the client. Look whether the "
        "commands belong to what the client wanted (its own sender) or not. Trace on the client "
        "host: what is not there was put in on the way.",
    .advice =
        "Check that the server throws away what came before TLS (CVE-2011-0411); update it if it "
        "is old.\n"
        "Correct or update the client.",
    .caveats =
        "If the server refuses STARTTLS, the same octets are ordinary commands and the rule is "
        "silent. Whether the server obeyed them is not visible inside TLS.",
    .reference = "RFC 3207 4, 4.2; CVE-2011-0411",
    .needs = kNeedsTlsRecords,
    .triggers = kOnOtherEntry,
    .evaluate = starttls_injection_client::evaluate,
};

}  // namespace smtpscope
