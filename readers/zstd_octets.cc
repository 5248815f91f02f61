#include "readers/zstd_octets.h"

#include <fmt/format.h>
#include <zstd.h>

#include <array>
#include <cassert>
#include <utility>

namespace smtpscope {
namespace {

constexpr int kWindowLog = 23;

}  // namespace

bool begins_zstd(std::span<const std::uint8_t> octets) {
  return octets.size() >= 4 && octets[0] == 0x28 && octets[1] == 0xb5 && octets[2] == 0x2f &&
         octets[3] == 0xfd;
}

struct ZstdOctets::Unpacker {
  Unpacker() : context(ZSTD_createDCtx()) {
    assert(context != nullptr);  // fails without memory only
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, kWindowLog);
  }
  ~Unpacker() { ZSTD_freeDCtx(context); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  ZSTD_DCtx* context;
  std::array<std::uint8_t, std::size_t{64} * 1024> packed{};
  ZSTD_inBuffer in{packed.data(), 0, 0};
  bool between_frames = true;
  bool has_more = false;  // of what it was given already
};

ZstdOctets::ZstdOctets(std::unique_ptr<OctetSource> packed)
    : packed_(std::move(packed)), unpacker_(std::make_unique<Unpacker>()) {}

ZstdOctets::~ZstdOctets() = default;

bool ZstdOctets::cut() const { return damage_.empty() && !unpacker_->between_frames; }

Result<std::size_t> ZstdOctets::read(std::span<std::uint8_t> room) {
  if (!damage_.empty()) return std::size_t{0};
  Unpacker& unpacker = *unpacker_;
  ZSTD_outBuffer out{room.data(), room.size(), 0};
  while (out.pos == 0) {
    if (unpacker.in.pos == unpacker.in.size && !unpacker.has_more) {
      const Result<std::size_t> got = packed_->read(unpacker.packed);
      if (!got) return got.error();
      if (got.value() == 0) return std::size_t{0};
      unpacker.in = {unpacker.packed.data(), got.value(), 0};
    }
    const std::size_t left = ZSTD_decompressStream(unpacker.context, &out, &unpacker.in);
    if (ZSTD_isError(left) != 0) {
      damage_ = fmt::format("its compression is damaged ({})", ZSTD_getErrorName(left));
      break;
    }
    unpacker.between_frames = left == 0;
    unpacker.has_more = out.pos == out.size && left > 0;
  }
  return std::size_t{out.pos};
}

}  // namespace smtpscope
