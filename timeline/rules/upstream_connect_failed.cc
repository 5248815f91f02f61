#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace upstream_connect_failed {
namespace {

struct Kind {
  std::string_view variant;
  std::string_view in_words;
};

/// What the error says about the reason. Several addresses may have failed for several reasons;
/// then none of them is it.
Kind kind_of(std::string_view failure) {
  // With their spaces: the failure also names the server, which may be called timeout.example.
  const std::array<std::pair<bool, Kind>, 5> kinds = {{
      {mentions(failure, {"connection refused", "refused the connection", "econnrefused",
                          "actively refused"}),
       {"refused", "the host is up, but no program listens on that port"}},
      {mentions(failure, {" timed out", " did not answer", "etimedout", "connection timeout",
                          "i/o timeout"}),
       {"filtered", "nobody answered, as when a firewall swallows the packets"}},
      {mentions(failure, {" unreachable", "no route to host", "ehostunreach", "enetunreach",
                          "network is down"}),
       {"unreachable", "there is no way to it"}},
      {mentions(failure, {"unknown node", "temporary failure", "permanent failure", "no address",
                          "unknown host", "unknownhost", "name or service not known",
                          "name resolution", "nodename nor servname", "enotfound", "eai_again",
                          "no such host", "could not resolve", "host not found", "host unknown",
                          "name service error", "host name lookup failure"}),
       {"name", "its name could not be resolved"}},
      {mentions(failure, {" tls", " certificate"}),
       {"tls", "the connection stood, but TLS could not be agreed on"}},
  }};
  Kind found;
  for (const auto& [matches, kind] : kinds) {
    if (!matches) continue;
    if (!found.variant.empty()) return {};
    found = kind;
  }
  return found;
}

void evaluate(RuleContext& context) {
  Finding finding = context.finding();
  const Kind kind = kind_of(context.connect_failure());
  finding.variant = kind.variant;
  finding.attributes = {{"reason", std::string(context.connect_failure())}};
  std::string after;
  // What a program logs is when it gave up, not when it began to try.
  if (context.session().fidelity.unknown == 0) {
    const Duration took = context.now() - context.session().opened;
    after = fmt::format(" after {}", duration_text(took));
    finding.attributes.push_back({"took", seconds_text(took)});
  }
  finding.text =
      fmt::format("no connection to the server{}: {}{}{}", after, context.connect_failure(),
                  kind.in_words.empty() ? "" : ": ", kind.in_words);
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace upstream_connect_failed

const Rule kUpstreamConnectFailed = {
    .id = "upstream-connect-failed",
    .category = Category::kNetwork,
    .severity = Severity::kError,
    .fault = Fault::kNetwork,
    .triggers = kOnConnectFailed,
    .evaluate = upstream_connect_failed::evaluate,
};

}  // namespace smtpscope
