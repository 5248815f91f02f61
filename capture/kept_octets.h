#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/octets.h"

namespace smtpscope {

/// What the views of kept events point to. Reserved whole, so that it does not move while it fills;
/// moving the object leaves the views valid. Not thread-safe.
class KeptOctets {
 public:
  void reserve(std::size_t octets) { octets_.reserve(octets); }
  std::size_t reserved() const { return octets_.capacity(); }
  std::size_t size() const { return octets_.size(); }
  void clear() { octets_.clear(); }

  /// A copy, valid until clear(). There must be room for it.
  std::span<const std::uint8_t> keep(std::span<const std::uint8_t> octets) {
    assert(octets_.capacity() - octets_.size() >= octets.size());
    const std::size_t at = octets_.size();
    octets_.insert(octets_.end(), octets.begin(), octets.end());
    return std::span(octets_).subspan(at);
  }
  std::string_view keep(std::string_view text) { return text_of(keep(octets_of(text))); }

  std::uint8_t& operator[](std::size_t at) { return octets_[at]; }

 private:
  std::vector<std::uint8_t> octets_;
};

}  // namespace smtpscope
