#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace smtpscope {

/// A text in a TextPool. Equal texts of one pool have equal ids.
using TextId = std::uint32_t;

/// Keeps each text once: a run says the same things again and again, and what is said once is
/// looked at once. Owns the texts. Not thread-safe.
class TextPool {
 public:
  TextId add(std::string_view text) {
    if (const auto known = ids_.find(text); known != ids_.end()) return known->second;
    const auto id = static_cast<TextId>(texts_.size());
    ids_.emplace(texts_.emplace_back(text), id);
    return id;
  }
  /// Valid as long as the pool.
  std::string_view text(TextId id) const { return texts_[id]; }
  std::size_t size() const { return texts_.size(); }

 private:
  std::deque<std::string> texts_;  // they stay where they are
  std::unordered_map<std::string_view, TextId> ids_;
};

}  // namespace smtpscope
