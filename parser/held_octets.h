#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace smtpscope {

/// Octets that wait for their meaning, first in, first out. Owns them; what is dropped stays in
/// place until the next append() or recycle(), so that views into it live as long as an Item.
class HeldOctets {
 public:
  bool empty() const { return head_ == octets_.size(); }
  std::size_t size() const { return octets_.size() - head_; }
  std::span<const std::uint8_t> octets() const { return std::span(octets_).subspan(head_); }

  void append(std::span<const std::uint8_t> octets) {
    // Compacting only when half of it is used up keeps the cost per octet constant.
    if (head_ > octets_.size() / 2) {
      octets_.erase(octets_.begin(), octets_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    octets_.insert(octets_.end(), octets.begin(), octets.end());
  }
  void drop(std::size_t n) { head_ += n; }
  /// Takes `octets` over. Must be empty().
  void assign(std::vector<std::uint8_t>&& octets) {
    octets_ = std::move(octets);
    head_ = 0;
  }
  /// Dropped octets are no longer looked at.
  void recycle() {
    if (empty() && octets_.capacity() > 0) {
      std::vector<std::uint8_t>().swap(octets_);
      head_ = 0;
    }
  }

 private:
  std::vector<std::uint8_t> octets_;
  std::size_t head_ = 0;
};

}  // namespace smtpscope
