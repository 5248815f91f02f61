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
      fmt::format("the client side sent {} in the clear after STARTTLS and before TLS began, {}",
                  in_quotes(junk->text),
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
    .needs = kNeedsTlsRecords,
    .triggers = kOnOtherEntry,
    .evaluate = starttls_injection_client::evaluate,
};

}  // namespace smtpscope
