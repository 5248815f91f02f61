#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace smtpscope {

/// In what two runs of a client differ. The names that to_string() gives are in the JSON output:
/// they stay.
enum class DifferenceKind : std::uint8_t {
  kSessionRemoved,  // a session of the run before has no counterpart
  kSessionAdded,
  kConnection,  // a server answered in one of the runs only
  kTransactionRemoved,
  kTransactionAdded,
  kCommandRemoved,
  kCommandAdded,
  kCommandMoved,    // said in both, at another place
  kCommandChanged,  // the same command with another argument, or line ending
  kReplyRemoved,    // answered in the run before only
  kReplyAdded,
  kReplyCode,
  kEnhancedCode,
  kReplyText,  // other words for the same code
  kCapabilityRemoved,
  kCapabilityAdded,
  kCapabilityChanged,  // other parameters
  kOutcome,            // of a transaction
  kHeaderRemoved,      // a header field of the message
  kHeaderAdded,
  kHeaderMoved,
  kHeaderChanged,
  kBody,
  kSize,         // of a message of which not all is in both captures
  kLineEndings,  // of a message
  kAnnotationGone,
  kAnnotationNew,
  kTiming,
  kReads,  // cut into reads otherwise
  kEnd,    // how the session ended
};
inline constexpr std::size_t kDifferenceKinds = 30;
std::string_view to_string(DifferenceKind kind);

/// What people are told of in one column of a table.
enum class DifferenceGroup : std::uint8_t {
  kSessions,
  kTransactions,
  kCommands,
  kReplies,
  kCapabilities,
  kMessages,
  kAnnotations,
  kTiming,
  kReads,
};
inline constexpr std::size_t kDifferenceGroups = 9;
std::string_view to_string(DifferenceGroup group);
DifferenceGroup group_of(DifferenceKind kind);

/// One difference between the run before and the run after. Owns its content.
struct Difference {
  DifferenceKind kind = DifferenceKind::kCommandChanged;
  std::uint64_t entry_before = 0, entry_after = 0;              // numbers of entries; 0: none
  std::uint64_t transaction_before = 0, transaction_after = 0;  // numbers; 0: outside
  std::string subject;        // what differs: "RCPT TO:<b@example.net>", "SIZE", a rule's id
  std::string before, after;  // octets from the wire, or words; "" where there is none
  Duration time_before{}, time_after{};  // kTiming
};

/// How many differences there are of each kind.
class DifferenceCounts {
 public:
  void add(DifferenceKind kind, std::uint64_t count = 1) {
    counts_[static_cast<std::size_t>(kind)] += count;
  }
  void add(const DifferenceCounts& more);
  std::uint64_t of(DifferenceKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  std::uint64_t of(DifferenceGroup group) const;
  std::uint64_t all() const;

 private:
  std::array<std::uint64_t, kDifferenceKinds> counts_{};
};

}  // namespace smtpscope
