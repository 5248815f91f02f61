#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace server_not_listening_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.session().connect_failed || !the_case.found(kUpstreamConnectFailed, "refused"))
    return;
  explanation.weight = kProven;
  explanation.side = Fault::kServer;
  explanation.headline = fmt::format(
      "the server's host answers, but no program listens there ({})",
      the_case.session().upstream.empty() ? "connection refused" : the_case.session().upstream);
  explanation.covers = {&kUpstreamConnectFailed};
}

}  // namespace
}  // namespace server_not_listening_cause

const Cause kServerNotListeningCause = {.id = "server-not-listening",
                                        .side = Fault::kServer,
                                        .weigh = server_not_listening_cause::weigh};

}  // namespace smtpscope
