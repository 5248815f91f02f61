#include "diff/runs/session_pairing.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <unordered_map>

#include "diff/alignment.h"

namespace smtpscope {
namespace {

constexpr std::size_t kUnpaired = std::numeric_limits<std::size_t>::max();

/// With so many candidates a session is compared at most: those next in order.
constexpr std::size_t kCandidates = 32;

std::uint64_t mixed(std::uint64_t so_far, std::uint64_t value) {
  return (so_far ^ value) * 0x9E3779B97F4A7C15u + (so_far >> 29);
}

/// The envelopes of a session as a whole; 0 where it has none.
std::uint64_t all_envelopes(const SessionTraits& session) {
  std::uint64_t hash = 0;
  for (const std::uint64_t envelope : session.envelopes) hash = mixed(hash + 1, envelope);
  return hash;
}

/// How much of what the larger of two sessions does the other does too, in percent.
std::uint64_t likeness(const SessionTraits& a, const SessionTraits& b) {
  std::uint64_t common = 0, all_a = 0, all_b = 0;
  const std::size_t verbs = std::max(a.verb_counts.size(), b.verb_counts.size());
  for (std::size_t i = 0; i < verbs; ++i) {
    const std::uint32_t in_a = i < a.verb_counts.size() ? a.verb_counts[i] : 0;
    const std::uint32_t in_b = i < b.verb_counts.size() ? b.verb_counts[i] : 0;
    common += std::min(in_a, in_b);
    all_a += in_a;
    all_b += in_b;
  }
  const std::uint64_t all = std::max(all_a, all_b);
  return all == 0 ? 100 : common * 100 / all;
}

/// Sessions that share something, in order. Those found paired are dropped for good: to pass over
/// them at each look would take the square of their number.
class Candidates {
 public:
  void add(std::size_t place) { places_.push_back(place); }

  /// kCandidates of them at most; valid until the next call.
  std::span<const std::size_t> first_unpaired(const std::vector<std::size_t>& partner_of) {
    std::size_t end = head_, found = 0;
    for (; end < places_.size() && found < kCandidates; ++end) {
      if (partner_of[places_[end]] == kUnpaired) places_[head_ + found++] = places_[end];
    }
    const auto first = places_.begin() + static_cast<std::ptrdiff_t>(head_);
    const auto last = first + static_cast<std::ptrdiff_t>(found);
    std::move_backward(first, last, places_.begin() + static_cast<std::ptrdiff_t>(end));
    head_ = end - found;
    return std::span(places_).subspan(head_, found);
  }

 private:
  std::vector<std::size_t> places_;
  std::size_t head_ = 0;
};

/// Pairs what is not paired yet, by one trait after the other.
class SessionPairing {
 public:
  SessionPairing(std::span<const SessionTraits> before, std::span<const SessionTraits> after)
      : before_(before),
        after_(after),
        of_before_(before.size(), kUnpaired),
        of_after_(after.size(), kUnpaired) {}

  std::vector<SessionPair> run() {
    in_place();
    by_key([](const SessionTraits& session) { return session.dialogue; });
    by_key(all_envelopes);
    by_common_envelopes();
    by_key([](const SessionTraits& session) { return session.shape; });
    by_likeness();
    return in_order();
  }

 private:
  using Key = std::function<std::uint64_t(const SessionTraits&)>;

  void pair(std::size_t before, std::size_t after) {
    of_before_[before] = after;
    of_after_[after] = before;
  }

  /// What is equal and in the same order.
  void in_place() {
    std::vector<std::uint64_t> a, b;
    for (const SessionTraits& session : before_) a.push_back(session.dialogue);
    for (const SessionTraits& session : after_) b.push_back(session.dialogue);
    for (const AlignedPair& each : align(a, b)) pair(each.a, each.b);
  }

  /// What has the same key, the first with the first; a key of 0 is none.
  void by_key(const Key& key) {
    std::unordered_map<std::uint64_t, std::vector<std::size_t>> places;  // the last first
    for (std::size_t i = after_.size(); i-- > 0;) {
      if (of_after_[i] == kUnpaired) places[key(after_[i])].push_back(i);
    }
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (of_before_[i] != kUnpaired || key(before_[i]) == 0) continue;
      const auto found = places.find(key(before_[i]));
      if (found == places.end() || found->second.empty()) continue;
      pair(i, found->second.back());
      found->second.pop_back();
    }
  }

  void by_common_envelopes() {
    std::unordered_map<std::uint64_t, Candidates> places;
    for (std::size_t i = 0; i < after_.size(); ++i) {
      if (of_after_[i] != kUnpaired) continue;
      for (const std::uint64_t envelope : after_[i].envelopes) places[envelope].add(i);
    }
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (of_before_[i] != kUnpaired) continue;
      std::unordered_map<std::size_t, std::size_t> common;
      for (const std::uint64_t envelope : before_[i].envelopes) {
        const auto found = places.find(envelope);
        if (found == places.end()) continue;
        for (const std::size_t place : found->second.first_unpaired(of_after_)) ++common[place];
      }
      const auto best = std::ranges::max_element(common, [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second < b.second : a.first > b.first;
      });
      if (best != common.end()) pair(i, best->first);
    }
  }

  /// The most alike of those that come next; half of it at least.
  void by_likeness() {
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < after_.size(); ++i) {
      if (of_after_[i] == kUnpaired) left.push_back(i);
    }
    for (std::size_t i = 0; i < before_.size() && !left.empty(); ++i) {
      if (of_before_[i] != kUnpaired) continue;
      std::size_t best = kUnpaired;
      std::uint64_t most = 0;
      for (std::size_t j = 0; j < std::min(left.size(), kCandidates); ++j) {
        const std::uint64_t alike = likeness(before_[i], after_[left[j]]);
        if (alike >= 50 && alike > most) {
          most = alike;
          best = j;
        }
      }
      if (best == kUnpaired) continue;
      pair(i, left[best]);
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
    }
  }

  std::vector<SessionPair> in_order() const {
    std::vector<SessionPair> pairs;
    std::vector<bool> told(after_.size());
    const auto follow = [&](std::size_t place) {
      for (; place < after_.size() && of_after_[place] == kUnpaired && !told[place]; ++place) {
        pairs.push_back({std::nullopt, place});
        told[place] = true;
      }
    };
    follow(0);
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (of_before_[i] == kUnpaired) {
        pairs.push_back({i, std::nullopt});
        continue;
      }
      pairs.push_back({i, of_before_[i]});
      follow(of_before_[i] + 1);
    }
    return pairs;
  }

  const std::span<const SessionTraits> before_, after_;
  std::vector<std::size_t> of_before_, of_after_;
};

}  // namespace

std::vector<SessionPair> pair_sessions(std::span<const SessionTraits> before,
                                       std::span<const SessionTraits> after) {
  return SessionPairing(before, after).run();
}

}  // namespace smtpscope
