#include "diff/alignment.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <unordered_map>

namespace smtpscope {
namespace {

/// A shortest edit script is searched for up to so many edits, for that takes time by the square
/// of them; then what led furthest is taken, and the search begins anew behind it.
constexpr std::size_t kMaxEdits = 256;
constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

/// Aligns stretches of two sequences; gathers the pairs.
class Aligner {
 public:
  Aligner(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) : a_(a), b_(b) {}

  std::vector<AlignedPair> run() {
    work_.push_back({0, a_.size(), 0, b_.size(), kNever});
    while (!work_.empty()) {
      const Stretch next = work_.back();
      work_.pop_back();
      align(next);
    }
    std::ranges::sort(pairs_, {}, &AlignedPair::a);
    return std::move(pairs_);
  }

 private:
  struct Stretch {
    std::size_t a, a_end, b, b_end;
    std::size_t searched;  // its size when what is unique was looked for in vain
    bool empty() const { return a == a_end || b == b_end; }
    std::size_t size() const { return (a_end - a) + (b_end - b); }
  };
  struct Occurrence {
    std::size_t in_a = 0, in_b = 0;  // where, if once
    std::uint32_t count_a = 0, count_b = 0;
  };

  void pair(std::size_t a, std::size_t b) { pairs_.push_back({a, b}); }

  void align(Stretch s) {
    while (!s.empty() && a_[s.a] == b_[s.b]) pair(s.a++, s.b++);
    while (!s.empty() && a_[s.a_end - 1] == b_[s.b_end - 1]) pair(--s.a_end, --s.b_end);
    if (s.empty()) return;
    // What is unique in both is surely meant: it splits the stretch, and small ones are cheap. In
    // the rest of a stretch that had nothing unique there may be something once it is much smaller.
    if (s.size() <= s.searched / 2) {
      s.searched = s.size();
      const std::vector<AlignedPair> anchors = unique_in_both(s);
      for (const AlignedPair& anchor : anchors) {
        pair(anchor.a, anchor.b);
        work_.push_back({s.a, anchor.a, s.b, anchor.b, kNever});
        s.a = anchor.a + 1;
        s.b = anchor.b + 1;
      }
      if (!anchors.empty()) {
        s.searched = kNever;
        work_.push_back(s);
        return;
      }
    }
    shortest_script(s);
  }

  /// The longest rising sequence of the elements that occur once in each.
  std::vector<AlignedPair> unique_in_both(const Stretch& s) const {
    std::unordered_map<std::uint64_t, Occurrence> seen;
    for (std::size_t i = s.a; i < s.a_end; ++i) {
      Occurrence& each = seen[a_[i]];
      each.in_a = i;
      ++each.count_a;
    }
    for (std::size_t i = s.b; i < s.b_end; ++i) {
      const auto each = seen.find(b_[i]);
      if (each == seen.end()) continue;
      each->second.in_b = i;
      ++each->second.count_b;
    }
    std::vector<AlignedPair> unique;
    for (std::size_t i = s.a; i < s.a_end; ++i) {
      const Occurrence& each = seen.find(a_[i])->second;
      if (each.count_a == 1 && each.count_b == 1) unique.push_back({i, each.in_b});
    }
    return rising(unique);
  }

  /// The longest subsequence that rises in b too, by patience sorting.
  static std::vector<AlignedPair> rising(const std::vector<AlignedPair>& all) {
    constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> tops;  // of the piles, as indices into `all`
    std::vector<std::size_t> before(all.size(), kNone);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto pile =
          std::ranges::lower_bound(tops, all[i].b, {}, [&](std::size_t top) { return all[top].b; });
      if (pile != tops.begin()) before[i] = *std::prev(pile);
      if (pile == tops.end()) {
        tops.push_back(i);
      } else {
        *pile = i;
      }
    }
    std::vector<AlignedPair> longest;
    for (std::size_t i = tops.empty() ? kNone : tops.back(); i != kNone; i = before[i]) {
      longest.push_back(all[i]);
    }
    std::ranges::reverse(longest);
    return longest;
  }

  /// Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), figure 2.
  void shortest_script(const Stretch& s) {
    const auto n = static_cast<std::ptrdiff_t>(s.a_end - s.a);
    const auto m = static_cast<std::ptrdiff_t>(s.b_end - s.b);
    // reached[d] holds, for each diagonal k = -d, -d + 2 … d, how far in a d edits lead.
    std::vector<std::vector<std::ptrdiff_t>> reached;
    std::ptrdiff_t d = 0, furthest = 0;  // diagonal
    for (bool done = false;; ++d) {
      std::vector<std::ptrdiff_t>& now = reached.emplace_back(static_cast<std::size_t>(d + 1));
      std::ptrdiff_t most = -1;  // elements of both that are behind it
      for (std::ptrdiff_t k = -d; k <= d && !done; k += 2) {
        std::ptrdiff_t x = d == 0 ? 0 : step(reached, d, k);
        while (x < n && x - k < m && at_a(s, x) == at_b(s, x - k)) ++x;
        now[static_cast<std::size_t>((k + d) / 2)] = x;
        done = x >= n && x - k >= m;
        // A diagonal that has left the rectangle leads nowhere.
        const bool inside = x <= n && x - k <= m;
        if (done || (inside && 2 * x - k > most)) {
          most = 2 * x - k;
          furthest = k;
        }
      }
      if (done || d == static_cast<std::ptrdiff_t>(kMaxEdits)) break;
    }
    const std::ptrdiff_t x = far(reached, d, furthest);
    trace(s, reached, d, furthest);
    work_.push_back({s.a + static_cast<std::size_t>(x), s.a_end,
                     s.b + static_cast<std::size_t>(x - furthest), s.b_end, s.searched});
  }

  static std::ptrdiff_t far(const std::vector<std::vector<std::ptrdiff_t>>& reached,
                            std::ptrdiff_t d, std::ptrdiff_t k) {
    return reached[static_cast<std::size_t>(d)][static_cast<std::size_t>((k + d) / 2)];
  }
  /// The last edit on diagonal `k` came from the one above (b's element is new).
  static bool came_down(const std::vector<std::vector<std::ptrdiff_t>>& reached, std::ptrdiff_t d,
                        std::ptrdiff_t k) {
    return k == -d || (k != d && far(reached, d - 1, k - 1) < far(reached, d - 1, k + 1));
  }
  static std::ptrdiff_t step(const std::vector<std::vector<std::ptrdiff_t>>& reached,
                             std::ptrdiff_t d, std::ptrdiff_t k) {
    return came_down(reached, d, k) ? far(reached, d - 1, k + 1) : far(reached, d - 1, k - 1) + 1;
  }
  std::uint64_t at_a(const Stretch& s, std::ptrdiff_t i) const {
    return a_[s.a + static_cast<std::size_t>(i)];
  }
  std::uint64_t at_b(const Stretch& s, std::ptrdiff_t i) const {
    return b_[s.b + static_cast<std::size_t>(i)];
  }

  void trace(const Stretch& s, const std::vector<std::vector<std::ptrdiff_t>>& reached,
             std::ptrdiff_t d, std::ptrdiff_t k) {
    for (; d >= 0; --d) {
      std::ptrdiff_t x = far(reached, d, k);
      const std::ptrdiff_t from = d == 0 ? 0 : step(reached, d, k);
      while (x > from) {
        --x;
        pair(s.a + static_cast<std::size_t>(x), s.b + static_cast<std::size_t>(x - k));
      }
      if (d > 0) k += came_down(reached, d, k) ? 1 : -1;
    }
  }

  const std::span<const std::uint64_t> a_, b_;
  std::vector<Stretch> work_;
  std::vector<AlignedPair> pairs_;
};

}  // namespace

std::vector<AlignedPair> align(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  return Aligner(a, b).run();
}

}  // namespace smtpscope
