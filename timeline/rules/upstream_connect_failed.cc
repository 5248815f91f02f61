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
      {mentions(failure, {"connection refused"}),
       {"refused", "somebody is there, but no program listens on that port"}},
      {mentions(failure, {" timed out"}),
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
  finding.text = fmt::format(
      "no connection to the server after {}: {}{}{}; the client is told so "
      "with a 421 of smtpscope's own",
      duration_text(took), context.connect_failure(), kind.in_words.empty() ? "" : ": ",
      kind.in_words);
  finding.attributes = {{"reason", std::string(context.connect_failure())},
                        {"took", seconds_text(took)},
                        {"client_told", "421"}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace upstream_connect_failed

const Rule kUpstreamConnectFailed = {
    .id = "upstream-connect-failed",
    .category = Category::kNetwork,
    .severity = Severity::kError,
    .fault = Fault::kNetwork,
    .title = "The server could not be reached",
    .means =
        "smtpscope could not connect to the server behind it, so it answered the client with a 421 "
        "of its own, which means \"try again later\". No mail moved.\n"
        "The variant says how it failed: refused (somebody is there, but nothing listens on that "
        "port), filtered (nobody answered), unreachable (no way to it), name (its name could not "
        "be resolved), tls (no agreement on encryption).",
    .causes =
        "The server does not run, or listens on another port (refused).\n"
        "A firewall is in the way; many providers block port 25 (filtered).\n"
        "The address given with --upstream is wrong or misspelt (name, unreachable).\n"
        "The network or the name service is down.",
    .tell_apart =
        "Refused comes back within one round trip and proves that the host is up. Filtered takes "
        "until a time limit. Try the same from another host: if it works there, the matter is "
        "between here and the server.",
    .advice =
        "Check the address and port given with --upstream.\n"
        "On the server, see that the mail server runs and on which address and port it listens (ss "
        "-ltn).\n"
        "From the host of smtpscope, try to connect by hand: nc -v SERVER PORT.\n"
        "Look for a firewall, or a provider that blocks port 25.",
    .reference = "RFC 5321 3.8, 4.2; RFC 3463 (4.4.1)",
    .triggers = kOnConnectFailed,
    .evaluate = upstream_connect_failed::evaluate,
};

}  // namespace smtpscope
