#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "readers/unpacked_octets.h"

namespace smtpscope {

/// The octets begin a gzip member (RFC 1952 2.3.1).
bool begins_gzip(std::span<const std::uint8_t> octets);

/// What gzip made smaller, in its original size: members one after the other (RFC 1952 2.2). A
/// stream that is damaged or cut ends where it can no longer be read; damage() tells. Memory: some
/// 100 KiB, whatever the stream claims. Not thread-safe.
class GunzipOctets : public UnpackedOctets {
 public:
  explicit GunzipOctets(std::unique_ptr<OctetSource> packed);
  ~GunzipOctets() override;

  Result<std::size_t> read(std::span<std::uint8_t> room) override;

  const std::string& damage() const override { return damage_; }
  bool cut() const override;

 private:
  struct Inflater;

  std::unique_ptr<OctetSource> packed_;
  std::unique_ptr<Inflater> inflater_;
  std::string damage_;
};

}  // namespace smtpscope
