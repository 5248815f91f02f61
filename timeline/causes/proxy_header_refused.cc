#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace proxy_header_refused_cause {
namespace {

/// The refusal that a PROXY header met, in its place or as a command behind the greeting.
const RefusedReply* refused_header(const Case& the_case) {
  const SessionState& session = the_case.session();
  if (session.refusals == nullptr) return nullptr;
  const bool sent = session.relay != nullptr && session.relay->proxy_header != 0;
  const RuleEngine::Told* unknown = the_case.told(kUnknownCommand);
  const bool as_command =
      unknown != nullptr && unknown->text.find("\"PROXY\"") != std::string::npos;
  for (const RefusedReply& one : session.refusals->kept) {
    if (one.stage != ReplyStage::kUnknown && one.stage != ReplyStage::kConnect) continue;
    if (sent || (as_command && one.stage == ReplyStage::kUnknown)) return &one;
  }
  return nullptr;
}

void weigh(const Case& the_case, Explanation& explanation) {
  if (the_case.totals().transactions > 0 && the_case.lost() == nullptr) return;
  const RefusedReply* refusal = refused_header(the_case);
  if (refusal == nullptr) return;
  explanation.weight = kSpecific;
  explanation.reason = refusal->judged.reason;
  explanation.headline =
      "the server and the proxy in front of it do not agree on PROXY headers: one is sent where "
      "the server expects none, or not as it expects it";
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kUnknownCommand, &kTooManyErrors, &kClientTalksFirst};
}

}  // namespace
}  // namespace proxy_header_refused_cause

const Cause kProxyHeaderRefusedCause = {.id = "proxy-header-refused",
                                        .side = Fault::kClient,
                                        .weigh = proxy_header_refused_cause::weigh};

}  // namespace smtpscope
