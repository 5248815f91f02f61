#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace smtpscope {

/// Unicode code points from `first` to `last`, both included.
struct CodePointRange {
  char32_t first, last;
};

/// `ranges` are sorted and do not touch.
template <std::size_t N>
bool within(const std::array<CodePointRange, N>& ranges, char32_t value) {
  const auto range =
      std::lower_bound(ranges.begin(), ranges.end(), value,
                       [](const CodePointRange& r, char32_t v) { return r.last < v; });
  return range != ranges.end() && value >= range->first;
}

}  // namespace smtpscope
