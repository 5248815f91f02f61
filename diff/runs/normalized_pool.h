#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "diff/runs/normalizer.h"
#include "trace/text_pool.h"

namespace smtpscope {

/// The texts of a pool, each normalised once, in a numbering that runs share: texts of either run
/// that say the same, but for what always differs, have equal shared ids. Immutable once made.
class NormalizedPool {
 public:
  /// `shared` is where the normalised texts go.
  NormalizedPool(const TextPool& texts, TextPlace place, const Normalizers& normalizers,
                 TextPool& shared) {
    shared_.reserve(texts.size());
    for (TextId id = 0; id < texts.size(); ++id) {
      NormalizedText text = normalizers.apply(texts.text(id), place);
      shared_.push_back(shared.add(text.text));
      if (!text.values.empty()) values_.emplace(id, std::move(text.values));
    }
  }

  TextId shared(TextId id) const { return shared_[id]; }
  /// What was set aside in the text.
  std::span<const SetAside> values(TextId id) const {
    const auto found = values_.find(id);
    return found == values_.end() ? std::span<const SetAside>() : found->second;
  }

 private:
  std::vector<TextId> shared_;
  std::unordered_map<TextId, std::vector<SetAside>> values_;
};

}  // namespace smtpscope
