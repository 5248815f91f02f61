#include "parser/eod_watch.h"

#include <limits>

namespace smtpscope {
namespace {

EodCandidate kind_of(LineEndSeen before, LineEndSeen after) {
  using enum LineEndSeen;
  if (before == kCrCrLf || after == kCrCrLf) return EodCandidate::kCrCrLf;
  if (before == kLf && after == kLf) return EodCandidate::kLfDotLf;
  if (before == kLf && after == kCrLf) return EodCandidate::kLfDotCrLf;
  if (before == kCrLf && after == kLf) return EodCandidate::kCrLfDotLf;
  if (before == kCr && after == kCr) return EodCandidate::kCrDotCr;
  if (before == kCr && after == kCrLf) return EodCandidate::kCrDotCrLf;
  if (before == kCrLf && after == kCr) return EodCandidate::kCrLfDotCr;
  return EodCandidate::kOther;
}

}  // namespace

void EodWatch::note(LineEndSeen after_dot, std::uint64_t end, MessageFacts& facts) {
  const EodCandidate kind = nul_beside_dot ? EodCandidate::kNul : kind_of(dot_after, after_dot);
  close_dot();
  std::uint32_t& count = facts.candidates[static_cast<std::size_t>(kind)];
  if (count < std::numeric_limits<std::uint32_t>::max()) ++count;
  if (facts.first_candidate_end == 0) {
    facts.first_candidate_end = end;
    facts.first_candidate = kind;
  }
}

}  // namespace smtpscope
