#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace smtpscope {

/// Where the octets of a recorded file come from: a file, a pipe, or what a decompressor makes of
/// one. Not thread-safe.
class OctetSource {
 public:
  virtual ~OctetSource() = default;

  /// Reads into `room`, which is not empty. Gives how many octets came; 0 at the end as it is now,
  /// and may be asked again after the file has grown. Blocks while a pipe has none. The Error is
  /// in words and names the file.
  virtual Result<std::size_t> read(std::span<std::uint8_t> room) = 0;
};

/// Reads an open descriptor from its position on, and closes it in the end.
class DescriptorOctets : public OctetSource {
 public:
  /// `name` is for messages.
  DescriptorOctets(int descriptor, std::string name)
      : descriptor_(descriptor), name_(std::move(name)) {}
  ~DescriptorOctets() override;
  DescriptorOctets(const DescriptorOctets&) = delete;
  DescriptorOctets& operator=(const DescriptorOctets&) = delete;

  Result<std::size_t> read(std::span<std::uint8_t> room) override;

 private:
  int descriptor_;
  std::string name_;
};

}  // namespace smtpscope
