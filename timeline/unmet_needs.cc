#include "timeline/unmet_needs.h"

#include <fmt/format.h>

#include <array>

#include "timeline/rule.h"

namespace smtpscope {
namespace {

struct UnknownKind {
  Unknown unknown;
  std::uint16_t unmet;  // RuleNeed bits
  std::string_view words;
};
constexpr std::array<UnknownKind, kUnknowns> kUnknownKinds = {{
    {kUnknownOctets, kNeedsOctets | kNeedsTlsRecords, "line ends and unprintable octets"},
    {kUnknownReads, kNeedsReadTimes, "what arrived together"},
    {kUnknownContent, kNeedsContent, "the messages"},
    {kUnknownCloses, kNeedsCloseKind, "how connections were closed"},
    {kUnknownReplyLines, kNeedsReplyLines, "the first lines of long replies"},
    {kUnknownTimes, kNeedsTimes | kNeedsFineTimes | kNeedsReadTimes, "times"},
}};

struct UnmetReason {
  std::uint16_t need;
  std::string_view why;
};
// What rules a rule out first is said.
constexpr std::array kReasons = {
    UnmetReason{kNeedsTimes, "the trace has no times"},
    UnmetReason{kNeedsContent, "the messages are not in the trace"},
    UnmetReason{kNeedsReplyLines, "the trace has only the last line of each reply"},
    UnmetReason{kNeedsOctets, "the trace does not show line ends and unprintable octets"},
    UnmetReason{kNeedsTlsRecords, "the trace does not show the octets on the wire"},
    UnmetReason{kNeedsReadTimes, "the trace does not show what arrived together, and when"},
    UnmetReason{kNeedsFineTimes, "the times in the trace are too coarse"},
    UnmetReason{kNeedsCloseKind, "the trace does not show how the connection was closed"},
};

}  // namespace

std::uint16_t unmet_needs(const Fidelity& fidelity) {
  unsigned unmet = 0;
  for (const UnknownKind& kind : kUnknownKinds) {
    if ((fidelity.unknown & kind.unknown) != 0) unmet |= kind.unmet;
  }
  if (fidelity.resolution >= kCoarseTimes) unmet |= kNeedsFineTimes;
  return static_cast<std::uint16_t>(unmet);
}

std::string_view why_unmet(std::uint16_t needs) {
  for (const UnmetReason& reason : kReasons) {
    if ((needs & reason.need) != 0) return reason.why;
  }
  return "the trace does not show what it needs";
}

std::string step_text(Duration resolution) {
  const auto ms = resolution / std::chrono::milliseconds(1);
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

std::vector<std::string_view> unknown_in_words(const Fidelity& fidelity) {
  std::vector<std::string_view> words;
  for (const UnknownKind& kind : kUnknownKinds) {
    if ((fidelity.unknown & kind.unknown) != 0) words.push_back(kind.words);
  }
  return words;
}

}  // namespace smtpscope
