#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"

namespace smtpscope {

/// Every number that a rule compares with and that a user may set; thresholds.cc has their names,
/// defaults and words.
enum class Threshold : std::uint8_t {
  kGapNote,
  kGapNotice,
  kGapClientWarning,
  kGapServerWarning,
  kGapServerShare,
  kRsetServerClosedWithin,
  kRsetProbeSilence,
  kRsetProbeNext,
  kGreylistRetryWithin,
  kDuplicateMemory,
  kTimeoutClient,
  kTimeoutServer,
  kEodReplyNotice,
  kEodReplyWarning,
  kEodReplyError,
  kPreDotPause,
  kReplyDripped,
  kGreetingInfo,
  kGreetingNotice,
  kGreetingWarning,
  kGreetingError,
  kTarpitFloor,
  kTarpitReplies,
  kTarpitSpread,
  kDataStallNotice,
  kDataStallWarning,
  kDataStallError,
  kRoundEarly,
  kRoundLate,
  kDnsPeriod,
  kDnsExcess,
  kNearTimeoutShare,
  kClientTimeoutShare,
  kIdleHeld,
  kIdleTimedOut,
  kContentLines,
  kCommandLine,
  kTextLineWarning,
  kTextLineError,
  kDotStuffingLines,
  kDotStuffingMissing,
  kSizeShare,
  kSizeSlack,
  kBdatStall,
  kInterceptionScore,
  kInterceptionPause,
  kTwoPointDelay,
  kAuthRetryNotice,
  kAuthRetryWarning,
  kReplyLine,
  kReplyLines,
  kReplyOctets,
  kReplyMissingAfter,
  kClosedAfterError,
  kServerLingers,
  kTooManyErrors,
  kLmtpWait,
  kNoDialogueLifetime,
  kParallelInfo,
  kParallelNotice,
  kReconnects,
  kReconnectWindow,
};
inline constexpr std::size_t kThresholds =
    static_cast<std::size_t>(Threshold::kReconnectWindow) + 1;

/// What a threshold counts.
enum class Unit : std::uint8_t { kDuration, kCount, kOctets, kPercent };

/// One row of the table of thresholds.
struct ThresholdKind {
  Threshold threshold;
  std::string_view rule;  // id; "gap" where several rules share it
  std::string_view key;
  Unit unit;
  std::int64_t standard;  // ns for a duration
  std::string_view words;

  /// "rule.key", as --set and the JSON output name it.
  std::string name() const;
};

/// All of them, in the order of Threshold.
std::span<const ThresholdKind> all_thresholds();

/// nullptr if there is none of that name, "rule.key".
const ThresholdKind* find_threshold(std::string_view name);

/// The values in force. A plain value; the catalogue's standard ones unless set.
class Thresholds {
 public:
  Thresholds();

  /// Durations in nanoseconds.
  std::int64_t value(Threshold threshold) const {
    return values_[static_cast<std::size_t>(threshold)];
  }
  Duration duration(Threshold threshold) const { return Duration(value(threshold)); }
  std::uint64_t count(Threshold threshold) const {
    return static_cast<std::uint64_t>(value(threshold));
  }
  void set(Threshold threshold, std::int64_t value) {
    values_[static_cast<std::size_t>(threshold)] = value;
  }

 private:
  std::array<std::int64_t, kThresholds> values_{};
};

/// Reads a value as a user writes it: "2s", "500ms", "5m" for a duration (seconds without a unit);
/// "3"; "1000" octets; "50%" or "50". Empty when it is none, or negative.
std::optional<std::int64_t> parse_threshold(Unit unit, std::string_view text);

/// The value as parse_threshold() reads it: "950ms", "10s", "3", "50%".
std::string threshold_text(Unit unit, std::int64_t value);

}  // namespace smtpscope
