#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace server_name_unknown_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.session().connect_failed || !the_case.found(kUpstreamConnectFailed, "name")) return;
  explanation.weight = kProven;
  // In a log it is the client that was told the name.
  const bool proxied = the_case.session().fidelity.unknown == 0;
  explanation.side = proxied ? Fault::kProxy : Fault::kClient;
  const std::string& name = the_case.session().upstream;
  explanation.headline = fmt::format(
      "the server's name could not be resolved{}: check the spelling{}, and the resolver",
      name.empty() ? "" : fmt::format(" ({})", name), proxied ? " in --upstream" : "");
  explanation.covers = {&kUpstreamConnectFailed};
}

}  // namespace
}  // namespace server_name_unknown_cause

const Cause kServerNameUnknownCause = {
    .id = "server-name-unknown", .side = Fault::kServer, .weigh = server_name_unknown_cause::weigh};

}  // namespace smtpscope
