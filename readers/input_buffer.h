#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "capture/octet_source.h"

namespace smtpscope {

/// What of a file has been read and not been looked at yet. Records that are not whole stay until
/// the file has grown. Not thread-safe.
class InputBuffer {
 public:
  explicit InputBuffer(std::unique_ptr<OctetSource> octets) : octets_(std::move(octets)) {}

  /// Reads until `octets` octets are at hand. False when the file, as it is now, ends before.
  Result<bool> fill(std::size_t octets) {
    if (end_ - begin_ >= octets) return true;
    return read_until(octets);
  }

  /// Valid until the next fill().
  std::span<const std::uint8_t> at_hand() const {
    return std::span(buffer_).subspan(begin_, end_ - begin_);
  }
  /// The first `octets` at hand are done with.
  void drop(std::size_t octets) {
    begin_ += octets;
    offset_ += octets;
  }

  /// Where in the file the first octet at hand is.
  std::uint64_t offset() const { return offset_; }

 private:
  /// What is asked of the file at a time.
  static constexpr std::size_t kReadSize = std::size_t{256} * 1024;

  Result<bool> read_until(std::size_t octets);

  std::unique_ptr<OctetSource> octets_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace smtpscope
