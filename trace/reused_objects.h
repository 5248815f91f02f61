#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace smtpscope {

/// Copies of objects that own memory. Where one stood before clear() another is assigned, which
/// takes what the first one had: then nothing is allocated. They do not move. Not thread-safe.
template <typename Thing>
class ReusedObjects {
 public:
  Thing& add(const Thing& original) {
    Thing& copy = next();
    copy = original;
    return copy;
  }
  /// What was there before, to be assigned to.
  Thing& next() {
    if (used_ == things_.size()) things_.push_back(std::make_unique<Thing>());
    return *things_[used_++];
  }
  void clear() { used_ = 0; }

 private:
  std::vector<std::unique_ptr<Thing>> things_;
  std::size_t used_ = 0;
};

}  // namespace smtpscope
