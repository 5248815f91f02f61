#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace server_unreachable_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.session().connect_failed) return;
  const bool filtered = the_case.found(kUpstreamConnectFailed, "filtered");
  if (!filtered && !the_case.found(kUpstreamConnectFailed, "unreachable")) return;
  explanation.weight = kProven;
  explanation.side = Fault::kNetwork;
  // An error does not always name it.
  const std::string& upstream = the_case.session().upstream;
  const std::string server = upstream.empty() ? "the server" : upstream;
  explanation.headline =
      filtered ? fmt::format(
                     "nobody answered at {}: a firewall swallows the packets, or the host is down",
                     server)
               : fmt::format("there is no way to {}", server);
  explanation.covers = {&kUpstreamConnectFailed};
}

}  // namespace
}  // namespace server_unreachable_cause

const Cause kServerUnreachableCause = {
    .id = "server-unreachable", .side = Fault::kNetwork, .weigh = server_unreachable_cause::weigh};

}  // namespace smtpscope
