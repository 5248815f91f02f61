#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace smtpscope {

/// What is known of a session that another is to be found for. Hashes; equal means equal but for
/// what always differs.
struct SessionTraits {
  std::uint64_t dialogue = 0;              // all commands and the codes of their replies
  std::uint64_t shape = 0;                 // the commands' verbs
  std::vector<std::uint64_t> envelopes;    // of its transactions, in order
  std::vector<std::uint32_t> verb_counts;  // by verb
};

/// Two sessions that correspond, as places in their runs; one that has no counterpart stands alone.
struct SessionPair {
  std::optional<std::size_t> before, after;
};

/// Finds for each session of a run its counterpart in another: what is wholly equal first, then
/// what has the same envelopes, then what has some of them in common, then what looks alike; each
/// time in order, but a session may stand elsewhere. In the order of the run before, those that are
/// only in the run after behind the session that they follow there. Takes near linear time.
std::vector<SessionPair> pair_sessions(std::span<const SessionTraits> before,
                                       std::span<const SessionTraits> after);

}  // namespace smtpscope
