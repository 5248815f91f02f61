#include "diff/runs/run_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

namespace smtpscope {
namespace {

SessionId base_session(const SessionComparison& session) {
  return session.before == nullptr ? 0 : session.before->id;
}

/// Where it differs, and in what; not what it is there.
std::string place_of(const SessionComparison& session, const Difference& difference) {
  // A session that only another run has is known by what it does; its number says nothing.
  const bool added = difference.kind == DifferenceKind::kSessionAdded;
  return fmt::format("{}\x1F{}\x1F{}\x1F{}", base_session(session), to_string(difference.kind),
                     difference.transaction_before, added ? difference.after : difference.subject);
}

/// Of a difference that has no value, that it is there.
const std::string& value_of(const Difference& difference) {
  return difference.after.empty() ? difference.before : difference.after;
}

}  // namespace

void RunSeries::add(const RunComparison& run) {
  ++runs_;
  if (exchanges_ == 0) {
    for (const SessionRecord& session : base_.sessions) exchanges_ += session.exchanges.size();
  }
  std::set<std::string> counted;  // a place counts once in a run
  for (const SessionComparison& session : run.sessions) {
    for (const Difference& each : session.differences) {
      const std::string place = place_of(session, each);
      Flicker& flicker = flickers_[place];
      if (flicker.runs == 0) {
        flicker.kind = each.kind;
        flicker.session = base_session(session);
        flicker.subject = each.subject;
        flicker.base = each.before;
        flicker.shortest = flicker.longest = each.time_before;
      }
      if (counted.insert(place).second) ++flicker.runs;
      flicker.shortest = std::min(flicker.shortest, each.time_after);
      flicker.longest = std::max(flicker.longest, each.time_after);
      const std::string& value = value_of(each);
      if (flicker.values.size() < Flicker::kKeptValues &&
          std::ranges::find(flicker.values, value) == flicker.values.end()) {
        flicker.values.push_back(value);
      }
    }
    if (session.before == nullptr) continue;
    std::vector<bool>& unstable = unstable_[session.before->id];
    unstable.resize(session.before->exchanges.size());
    if (session.after == nullptr) unstable.assign(unstable.size(), true);
    for (const ComparedRow& row : session.rows) {
      if (row.before == ComparedRow::kNone) continue;
      if (row.difference_count > 0 || row.moved) unstable[row.before] = true;
    }
  }
}

bool RunSeries::flickers(const SessionComparison& session, const Difference& difference) const {
  const auto found = flickers_.find(place_of(session, difference));
  if (found == flickers_.end()) return false;
  const Flicker& flicker = found->second;
  if (difference.kind == DifferenceKind::kTiming) {
    return difference.time_after <= flicker.longest + options_.timing_threshold &&
           difference.time_after + options_.timing_threshold >= flicker.shortest;
  }
  // With three runs of which each says something else, a fourth may say what it likes.
  constexpr std::size_t kEnough = 2;
  const bool always_another =
      flicker.runs + 1 == runs_ && flicker.values.size() >= kEnough &&
      (flicker.values.size() == flicker.runs || flicker.values.size() == Flicker::kKeptValues);
  return always_another ||
         std::ranges::find(flicker.values, value_of(difference)) != flicker.values.end();
}

std::vector<Flicker> RunSeries::flickers() const {
  std::vector<Flicker> all;
  for (const auto& [place, flicker] : flickers_) all.push_back(flicker);
  std::ranges::stable_sort(all, std::ranges::greater(), &Flicker::runs);
  return all;
}

std::uint64_t RunSeries::stable() const {
  std::uint64_t unstable = 0;
  for (const auto& [session, exchanges] : unstable_) {
    unstable += static_cast<std::uint64_t>(std::ranges::count(exchanges, true));
  }
  return exchanges_ - unstable;
}

}  // namespace smtpscope
