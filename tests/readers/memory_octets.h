#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "capture/octet_source.h"

namespace smtpscope::test {

/// A file in memory; `piece`: how many octets a read gives at most.
class MemoryOctets : public OctetSource {
 public:
  explicit MemoryOctets(std::string octets, std::size_t piece = ~std::size_t{0})
      : octets_(std::move(octets)), piece_(piece) {}

  Result<std::size_t> read(std::span<std::uint8_t> room) override {
    const std::size_t count = std::min({room.size(), piece_, octets_.size() - taken_});
    std::copy_n(octets_.begin() + static_cast<std::ptrdiff_t>(taken_), count, room.begin());
    taken_ += count;
    return count;
  }

 private:
  std::string octets_;
  std::size_t piece_;
  std::size_t taken_ = 0;
};

}  // namespace smtpscope::test
