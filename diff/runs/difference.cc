#include "diff/runs/difference.h"

#include <numeric>

namespace smtpscope {
namespace {

struct KindRow {
  DifferenceKind kind;
  std::string_view name;
  DifferenceGroup group;
};

/// One row for each kind, in the order of the enumeration.
constexpr KindRow kDifferenceRows[] = {
    {DifferenceKind::kSessionRemoved, "session-removed", DifferenceGroup::kSessions},
    {DifferenceKind::kSessionAdded, "session-added", DifferenceGroup::kSessions},
    {DifferenceKind::kConnection, "connection", DifferenceGroup::kSessions},
    {DifferenceKind::kTransactionRemoved, "transaction-removed", DifferenceGroup::kTransactions},
    {DifferenceKind::kTransactionAdded, "transaction-added", DifferenceGroup::kTransactions},
    {DifferenceKind::kCommandRemoved, "command-removed", DifferenceGroup::kCommands},
    {DifferenceKind::kCommandAdded, "command-added", DifferenceGroup::kCommands},
    {DifferenceKind::kCommandMoved, "command-moved", DifferenceGroup::kCommands},
    {DifferenceKind::kCommandChanged, "command-changed", DifferenceGroup::kCommands},
    {DifferenceKind::kReplyRemoved, "reply-removed", DifferenceGroup::kReplies},
    {DifferenceKind::kReplyAdded, "reply-added", DifferenceGroup::kReplies},
    {DifferenceKind::kReplyCode, "reply-code", DifferenceGroup::kReplies},
    {DifferenceKind::kEnhancedCode, "enhanced-code", DifferenceGroup::kReplies},
    {DifferenceKind::kReplyText, "reply-text", DifferenceGroup::kReplies},
    {DifferenceKind::kCapabilityRemoved, "capability-removed", DifferenceGroup::kCapabilities},
    {DifferenceKind::kCapabilityAdded, "capability-added", DifferenceGroup::kCapabilities},
    {DifferenceKind::kCapabilityChanged, "capability-changed", DifferenceGroup::kCapabilities},
    {DifferenceKind::kOutcome, "outcome", DifferenceGroup::kTransactions},
    {DifferenceKind::kHeaderRemoved, "header-removed", DifferenceGroup::kMessages},
    {DifferenceKind::kHeaderAdded, "header-added", DifferenceGroup::kMessages},
    {DifferenceKind::kHeaderMoved, "header-moved", DifferenceGroup::kMessages},
    {DifferenceKind::kHeaderChanged, "header-changed", DifferenceGroup::kMessages},
    {DifferenceKind::kBody, "body", DifferenceGroup::kMessages},
    {DifferenceKind::kSize, "size", DifferenceGroup::kMessages},
    {DifferenceKind::kLineEndings, "line-endings", DifferenceGroup::kMessages},
    {DifferenceKind::kAnnotationGone, "annotation-gone", DifferenceGroup::kAnnotations},
    {DifferenceKind::kAnnotationNew, "annotation-new", DifferenceGroup::kAnnotations},
    {DifferenceKind::kTiming, "timing", DifferenceGroup::kTiming},
    {DifferenceKind::kReads, "reads", DifferenceGroup::kReads},
    {DifferenceKind::kEnd, "end", DifferenceGroup::kSessions},
};
static_assert(std::size(kDifferenceRows) == kDifferenceKinds);

const KindRow& row_of(DifferenceKind kind) {
  return kDifferenceRows[static_cast<std::size_t>(kind)];
}

}  // namespace

std::string_view to_string(DifferenceKind kind) { return row_of(kind).name; }

DifferenceGroup group_of(DifferenceKind kind) { return row_of(kind).group; }

std::string_view to_string(DifferenceGroup group) {
  constexpr std::string_view kNames[] = {"sessions",    "transactions", "commands",
                                         "replies",     "capabilities", "messages",
                                         "annotations", "timing",       "reads"};
  static_assert(std::size(kNames) == kDifferenceGroups);
  return kNames[static_cast<std::size_t>(group)];
}

void DifferenceCounts::add(const DifferenceCounts& more) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += more.counts_[i];
}

std::uint64_t DifferenceCounts::of(DifferenceGroup group) const {
  std::uint64_t sum = 0;
  for (const KindRow& row : kDifferenceRows) {
    if (row.group == group) sum += of(row.kind);
  }
  return sum;
}

std::uint64_t DifferenceCounts::all() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

}  // namespace smtpscope
