#include <fmt/format.h>

#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  Finding finding = context.finding();
  finding.text = fmt::format("no connection to the server: {}", context.connect_failure());
  context.fire(std::move(finding));
}

}  // namespace

const Rule kUpstreamConnectFailed = {
    .id = "upstream-connect-failed",
    .category = Category::kNetwork,
    .severity = Severity::kError,
    .fault = Fault::kNetwork,
    .title = "The server could not be reached",
    .means =
        "smtpscope could not connect to the upstream server, so it answered the client with a "
        "421 of its own.\n"
        "Check the address and port given with --upstream, whether the server runs, and whether "
        "a firewall is in the way.",
    .caveats =
        "The client may have been told something else when it connects directly: name service "
        "and address choice then are its own.",
    .reference = "RFC 5321 3.8",
    .triggers = kOnConnectFailed,
    .evaluate = evaluate,
};

}  // namespace smtpscope
