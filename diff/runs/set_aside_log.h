#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diff/runs/normalizer.h"

namespace smtpscope {

/// Something that differed and was set aside.
struct SetAsidePair {
  std::string_view normalizer;
  std::string before, after;
};

/// What was set aside in a comparison: how often, and the first of it. Not thread-safe.
class SetAsideLog {
 public:
  /// Enough to see what is meant; a long run has as many as it has messages.
  static constexpr std::size_t kShown = 1000;

  /// Of two texts that are equal but for these values.
  void add(std::span<const SetAside> before, std::span<const SetAside> after) {
    for (std::size_t i = 0; i < before.size() && i < after.size(); ++i) {
      if (before[i].value == after[i].value) continue;
      add(before[i].normalizer, before[i].value, after[i].value);
    }
  }
  void add(std::string_view normalizer, std::string_view before, std::string_view after) {
    ++counts_[normalizer];
    if (pairs_.size() < kShown) {
      pairs_.push_back({normalizer, std::string(before), std::string(after)});
    }
  }
  void add(const SetAsideLog& more) {
    for (const auto& [name, count] : more.counts_) counts_[name] += count;
  }

  const std::map<std::string_view, std::uint64_t>& counts() const { return counts_; }
  const std::vector<SetAsidePair>& pairs() const { return pairs_; }

 private:
  std::map<std::string_view, std::uint64_t> counts_;
  std::vector<SetAsidePair> pairs_;
};

}  // namespace smtpscope
