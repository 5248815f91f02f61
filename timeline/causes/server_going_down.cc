#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace server_going_down_cause {
namespace {

bool says_so(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {
      "shutting down", "shut down", "shutdown",    "going down", "restart",
      "reboot",        "reload",    "maintenance", "starting up"};
  const std::string words = in_lower_case(text);
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return words.find(word) != std::string::npos; });
}

void weigh(const Case& the_case, Explanation& explanation) {
  const RefusedReply* refusal = the_case.refusal();
  if (refusal == nullptr || refusal->judged.reason != ReplyReason::kServerBusy) return;
  if (!says_so(refusal->text)) return;
  explanation.weight = kByWords + 5;
  explanation.reason = ReplyReason::kServerBusy;
  explanation.side = Fault::kServer;
  explanation.headline =
      "the server is being stopped, restarted or serviced, and asks to come back";
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
}

}  // namespace
}  // namespace server_going_down_cause

const Cause kServerGoingDownCause = {
    .id = "server-going-down", .side = Fault::kServer, .weigh = server_going_down_cause::weigh};

}  // namespace smtpscope
