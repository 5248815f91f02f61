#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace size_announced_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.refused_for(ReplyReason::kMessageTooLarge)) return;
  const RefusedReply* refusal = the_case.refusal();
  const std::optional<std::uint64_t> limit = the_case.offered().size_limit();
  const TransactionTally* lost = the_case.lost();
  const std::uint64_t size = lost == nullptr ? 0 : std::max(lost->octets, lost->declared);
  if (!limit || size == 0) return;
  explanation.weight = kByWords + 5;
  explanation.reason = ReplyReason::kMessageTooLarge;
  explanation.side = Fault::kClient;
  explanation.headline = size > *limit ? fmt::format(
                                             "the message is too large: {} octets, and the server "
                                             "takes {} (SIZE in its EHLO reply)",
                                             size, *limit)
                                       : fmt::format(
                                             "the message is too large for the server ({} octets), "
                                             "although it announces SIZE {}",
                                             size, *limit);
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kDeclaredLimitExceeded, &kRejectedAfterData, &kSizeDeclaredMismatch};
}

}  // namespace
}  // namespace size_announced_cause

const Cause kSizeAnnouncedCause = {
    .id = "size-announced", .side = Fault::kClient, .weigh = size_announced_cause::weigh};

}  // namespace smtpscope
