#include "timeline/state/envelope_hash.h"

#include <algorithm>

#include "base/ascii.h"
#include "parser/path.h"

namespace smtpscope {
namespace {

// FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/. Nobody gains by a collision here.
constexpr std::uint64_t kBasis = 14695981039346656037ULL;
constexpr std::uint64_t kPrime = 1099511628211ULL;

std::uint64_t add_octet(std::uint64_t hash, unsigned char octet) { return (hash ^ octet) * kPrime; }

unsigned char folded(char c) { return static_cast<unsigned char>(lower(c)); }

std::uint64_t add_path(std::uint64_t hash, std::string_view path) {
  // No path holds an LF: it keeps "a", "bc" apart from "ab", "c".
  hash = add_octet(hash, '\n');
  const std::size_t domain = find_domain(path);
  for (std::size_t i = 0; i < path.size(); ++i) {
    hash = add_octet(hash, i >= domain ? folded(path[i]) : static_cast<unsigned char>(path[i]));
  }
  return hash;
}

}  // namespace

std::uint64_t sender_hash(std::string_view reverse_path) { return add_path(kBasis, reverse_path); }

std::uint64_t with_recipient(std::uint64_t so_far, std::string_view forward_path) {
  return add_path(so_far, forward_path);
}

std::uint64_t domain_hash(std::string_view path) {
  path.remove_prefix(std::min(find_domain(path), path.size()));
  if (path.empty()) return 0;
  std::uint64_t hash = kBasis;
  for (const char c : path) hash = add_octet(hash, folded(c));
  return hash;
}

}  // namespace smtpscope
