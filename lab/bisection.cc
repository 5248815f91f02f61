#include "lab/bisection.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace smtpscope {

Bisection::Bisection(std::size_t traits, unsigned repeat, Experiment experiment)
    : traits_(traits), repeat_(std::max(repeat, 1U)), experiment_(std::move(experiment)) {}

const LabTrial& Bisection::trial(const Traits& altered) {
  const auto [place, is_new] = known_.try_emplace(altered);
  LabTrial& trial = place->second;
  if (is_new) {
    for (unsigned i = 0; i < repeat_; ++i) {
      ++answer_.runs;
      switch (experiment_(altered)) {
        case LabJudgement::kGood:
          ++trial.good;
          break;
        case LabJudgement::kBad:
          ++trial.bad;
          break;
        case LabJudgement::kUnknown:
          ++trial.unknown;
          break;
      }
    }
  }
  return trial;
}

bool Bisection::good(const Traits& altered) {
  const LabTrial& result = trial(altered);
  if (steady_) {
    answer_.last = altered;
    answer_.trial = result;
  }
  if (!result.all_good() && !result.all_bad()) steady_ = false;
  return result.all_good();
}

/// Zeller's ddmin: leaves out ever smaller parts for as long as the rest is still enough.
Bisection::Traits Bisection::reduced(Traits altered) {
  std::size_t parts = 2;
  while (altered.size() >= 2 && steady_) {
    const std::size_t size = (altered.size() + parts - 1) / parts;
    bool smaller = false;
    for (std::size_t begin = 0; begin < altered.size() && steady_; begin += size) {
      Traits rest;
      for (std::size_t i = 0; i < altered.size(); ++i) {
        if (i < begin || i >= begin + size) rest.push_back(altered[i]);
      }
      if (!good(rest)) continue;
      altered = std::move(rest);
      parts = std::max<std::size_t>(parts - 1, 2);
      smaller = true;
      break;
    }
    if (smaller) continue;
    if (parts >= altered.size()) break;
    parts = std::min(2 * parts, altered.size());
  }
  return altered;
}

Bisection::Answer Bisection::find() {
  Traits all(traits_);
  std::iota(all.begin(), all.end(), std::size_t{0});
  const auto ended = [&](End end) {
    answer_.end = steady_ ? end : End::kInconclusive;
    return answer_;
  };
  if (good({}) || !steady_) return ended(End::kNeverBad);
  if (!good(all) || !steady_) return ended(End::kNeverGood);
  for (std::size_t trait = 0; trait < traits_; ++trait) {
    const bool enough = good({trait});
    if (!steady_) return ended(End::kInconclusive);
    if (enough) answer_.alone.push_back({trait});
  }
  answer_.minimal = answer_.alone.empty() ? reduced(all) : answer_.alone.front();
  return ended(End::kFound);
}

}  // namespace smtpscope
