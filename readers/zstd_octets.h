#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "readers/unpacked_octets.h"

namespace smtpscope {

/// The octets begin a Zstandard frame (RFC 8878 3.1.1).
bool begins_zstd(std::span<const std::uint8_t> octets);

/// What Zstandard made smaller: frames one after the other. Memory: what a frame's window asks for,
/// 8 MiB at most (RFC 8878 3.1.1.1.2); a frame that asks for more counts as damaged. Not
/// thread-safe.
class ZstdOctets : public UnpackedOctets {
 public:
  explicit ZstdOctets(std::unique_ptr<OctetSource> packed);
  ~ZstdOctets() override;

  Result<std::size_t> read(std::span<std::uint8_t> room) override;

  const std::string& damage() const override { return damage_; }
  bool cut() const override;

 private:
  struct Unpacker;

  std::unique_ptr<OctetSource> packed_;
  std::unique_ptr<Unpacker> unpacker_;
  std::string damage_;
};

}  // namespace smtpscope
