#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace smtpscope {

/// Memory for what the events of a batch point to: given out piece by piece, taken back all at
/// once, and then used again. What was given out does not move. Not thread-safe.
class BatchMemory {
 public:
  /// A read of the largest segment of a loopback interface has room three times.
  static constexpr std::size_t kBlock = std::size_t{256} * 1024;

  /// A copy, valid until clear().
  template <typename Thing>
  std::span<const Thing> keep(std::span<const Thing> things) {
    static_assert(std::is_trivially_copyable_v<Thing>);
    if (things.empty()) return {};
    std::byte* const copy = take(things.size_bytes());
    std::memcpy(copy, things.data(), things.size_bytes());
    return {reinterpret_cast<const Thing*>(copy), things.size()};
  }
  std::string_view keep(std::string_view text) {
    const std::span<const char> kept = keep(std::span<const char>(text.data(), text.size()));
    return {kept.data(), kept.size()};
  }

  /// Octets that were given out.
  std::size_t used() const { return used_; }
  /// What was given out is no more.
  void clear();

 private:
  struct Block {
    std::unique_ptr<std::byte[]> memory;
    std::size_t octets = 0;
  };

  std::byte* take(std::size_t octets);
  std::byte* take_from_new_block(std::size_t octets);

  std::vector<Block> blocks_;
  std::size_t filled_ = 0;  // blocks that have no room any more
  std::size_t at_ = 0;      // in the one behind them
  std::size_t used_ = 0;
};

}  // namespace smtpscope
