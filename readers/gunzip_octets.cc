#include "readers/gunzip_octets.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <utility>

namespace smtpscope {
namespace {

/// Window bits of inflateInit2(): the largest window, and a gzip header is expected.
constexpr int kGzipWindow = 15 + 16;

}  // namespace

bool begins_gzip(std::span<const std::uint8_t> octets) {
  return octets.size() >= 3 && octets[0] == 0x1f && octets[1] == 0x8b && octets[2] == 8;
}

struct GunzipOctets::Inflater {
  z_stream stream{};
  std::array<std::uint8_t, std::size_t{64} * 1024> packed{};
  bool between_members = true;
  bool begun = false;  // a member was read

  Inflater() {
    const int made = inflateInit2(&stream, kGzipWindow);
    assert(made == Z_OK);  // fails without memory only
    static_cast<void>(made);
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

GunzipOctets::GunzipOctets(std::unique_ptr<OctetSource> packed)
    : packed_(std::move(packed)), inflater_(std::make_unique<Inflater>()) {}

GunzipOctets::~GunzipOctets() = default;

bool GunzipOctets::cut() const { return damage_.empty() && !inflater_->between_members; }

Result<std::size_t> GunzipOctets::read(std::span<std::uint8_t> room) {
  if (!damage_.empty()) return std::size_t{0};
  z_stream& stream = inflater_->stream;
  const auto size =
      static_cast<uInt>(std::min<std::size_t>(room.size(), std::numeric_limits<uInt>::max()));
  stream.next_out = room.data();
  stream.avail_out = size;
  while (stream.avail_out == size) {
    if (stream.avail_in == 0) {
      const Result<std::size_t> got = packed_->read(inflater_->packed);
      if (!got) return got.error();
      if (got.value() == 0) return std::size_t{0};
      stream.next_in = inflater_->packed.data();
      stream.avail_in = static_cast<uInt>(got.value());
    }
    // Padding of zeros behind the last member is customary on tapes and disks.
    if (inflater_->begun && inflater_->between_members && *stream.next_in == 0) {
      ++stream.next_in;
      --stream.avail_in;
      continue;
    }
    inflater_->between_members = false;
    const int done = inflate(&stream, Z_NO_FLUSH);
    if (done == Z_STREAM_END) {
      inflater_->begun = inflater_->between_members = true;
      inflateReset(&stream);
    } else if (done != Z_OK && done != Z_BUF_ERROR) {
      damage_ = fmt::format("its compression is damaged ({})",
                            stream.msg != nullptr ? stream.msg : "zlib cannot read on");
      break;
    }
  }
  return std::size_t{size - stream.avail_out};
}

}  // namespace smtpscope
