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
      {mentions(failure, {"connection refused", "refused the connection"}),
       {"refused", "the host is up, but no program listens on that port"}},
      {mentions(failure, {" timed out", " did not answer"}),
       {"filtered", "nobody answered, as when a firewall swallows the packets"}},
      {mentions(failure, {" unreachable"}), {"unreachable", "there is no way to it"}},
      {mentions(failure, {"unknown node", "temporary failure", "permanent failure", "no address"}),
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
  const Duration took = context.now() - context.session().opened;
  finding.variant = kind.variant;
  finding.text =
      fmt::format("no connection to the server after {}: {}{}{}", duration_text(took),
                  context.connect_failure(), kind.in_words.empty() ? "" : ": ", kind.in_words);
  finding.attributes = {{"reason", std::string(context.connect_failure())},
                        {"took", seconds_text(took)}};
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
