#include "diff/taps/taps_clock.h"

#include <algorithm>
#include <utility>

namespace smtpscope {
namespace {

/// Where a sample's range begins (+1) or has ended (-1).
using RangeEdge = std::pair<Duration, int>;

Duration distance_from_zero(Duration offset) { return offset < Duration{} ? -offset : offset; }

/// Less than this share of the samples allowing one offset means that there is none: the clocks
/// drift. What answers in the server's place contradicts too, but not in most exchanges of most
/// sessions with a different offset each time.
constexpr std::size_t kLeastAgreeingPercent = 50;

}  // namespace

ClockOffset offset_of(std::span<const OffsetSample> samples, std::size_t* agreeing) {
  std::vector<RangeEdge> edges;
  for (const OffsetSample& each : samples) {
    if (each.least > each.most) continue;  // not passed on: nothing is known
    edges.emplace_back(each.least, +1);
    edges.emplace_back(each.most, -1);
  }
  if (agreeing != nullptr) *agreeing = 0;
  if (edges.empty()) return {};
  // Ranges that only touch still allow the point where they do.
  std::ranges::sort(edges, [](const RangeEdge& a, const RangeEdge& b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  });
  ClockOffset best;
  int now = 0, most = 0;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    now += edges[i].second;
    if (edges[i].second < 0 || edges[i + 1].second > 0 || now < most) continue;
    // A range that no other edge divides.
    const Duration width = edges[i + 1].first - edges[i].first;
    const ClockOffset here{edges[i].first + width / 2, width / 2, true};
    const bool nearer = distance_from_zero(here.offset) < distance_from_zero(best.offset);
    if (now > most || nearer) best = here;
    most = now;
  }
  if (agreeing != nullptr) *agreeing = static_cast<std::size_t>(most);
  return best;
}

TapsClock TapsClock::make(const std::vector<std::vector<OffsetSample>>& dialogues) {
  TapsClock clock;
  std::vector<OffsetSample> all;
  for (const auto& each : dialogues) all.insert(all.end(), each.begin(), each.end());
  std::size_t agreeing = 0;
  clock.whole_ = offset_of(all, &agreeing);
  const auto usable = static_cast<std::size_t>(
      std::ranges::count_if(all, [](const OffsetSample& each) { return each.least <= each.most; }));
  if (dialogues.size() < 2 || agreeing * 100 >= usable * kLeastAgreeingPercent) {
    clock.offsets_.assign(dialogues.size(), clock.whole_);
    return clock;
  }
  for (const auto& each : dialogues) clock.offsets_.push_back(offset_of(each));
  const auto known = [](const ClockOffset& each) { return each.known; };
  const auto first = std::ranges::find_if(clock.offsets_, known);
  clock.whole_ = *first;
  ClockOffset last = *first;
  for (ClockOffset& each : clock.offsets_) {
    if (each.known) last = each;
    each = last;
  }
  clock.drift_ = last.offset - clock.whole_.offset;
  return clock;
}

}  // namespace smtpscope
