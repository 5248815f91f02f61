#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "parser/conversation.h"

namespace smtpscope::test {

/// One thing that happens to a session: octets of a side, a gap, the end of a side.
struct Step {
  enum class Kind { kOctets, kGap, kEof };
  Kind kind = Kind::kOctets;
  Side side = Side::kClient;
  std::string octets;
  std::uint64_t missing = 0;
};

/// A session as a script.
using Script = std::vector<Step>;

Step C(std::string octets);  // from the client
Step S(std::string octets);  // from the server
Step gap(Side side, std::uint64_t missing);
Step eof(Side side);

/// What came of a script.
struct Outcome {
  std::vector<std::string> items;    // each in one readable line
  std::vector<std::string> in_full;  // each with all it holds
  std::string complaint;  // "" when items tile both streams and secrets stayed out of sight
  Script masked;          // the script with '#' for each secret octet
};

/// Runs the script to its finish; the octets of a step go in by pieces of at most `piece()`.
Outcome run(const Script& script, Conversation::Start start,
            const std::function<std::size_t()>& piece);

/// Runs the script whole, at every chunk size up to `max_chunk`, and at `random_splits` seeded
/// random splits, and a masked copy of it. "" when all agree and are sound, else what is wrong.
std::string find_fault(const Script& script, Conversation::Start start,
                       std::size_t max_chunk = ~std::size_t{0}, std::uint32_t random_splits = 50);

/// The script with control octets spelled out, for messages.
std::string to_text(const Script& script);

}  // namespace smtpscope::test
