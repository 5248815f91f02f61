#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace connections_share_an_address_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  const RefusedReply* refusal = the_case.any_refusal(ReplyReason::kTooManyConnections);
  if (refusal == nullptr || the_case.refusal() != refusal) return;
  // The server counts an address that is not the client's: it sees the proxy, or a NAT.
  const std::string& client = the_case.session().client_host;
  const bool local = refusal->text.find("127.0.0.1") != std::string::npos ||
                     refusal->text.find("::1]") != std::string::npos;
  if (!local || client.empty()) return;
  explanation.weight = kSpecific;
  explanation.certainty = Certainty::kLikely;
  explanation.reason = ReplyReason::kTooManyConnections;
  explanation.headline =
      "too many connections at once from 127.0.0.1: behind a proxy on its own host the server sees "
      "all clients under that one address, and its limit for one client hits them all";
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kGreetingRefused, &kParallelSessions};
}

}  // namespace
}  // namespace connections_share_an_address_cause

const Cause kConnectionsShareAnAddressCause = {.id = "connections-share-an-address",
                                               .side = Fault::kProxy,
                                               .weigh = connections_share_an_address_cause::weigh};

}  // namespace smtpscope
