#include "exporters/html/packed_records.h"

#include <zlib.h>

#include <array>
#include <cassert>
#include <cstddef>

#include "base/base64.h"

namespace smtpscope {

struct PackedRecords::Deflater {
  z_stream stream{};

  Deflater() {
    constexpr int kLevel = 6;
    constexpr int kGzip = 15 + 16;  // the largest window, with the header of gzip
    constexpr int kMemory = 8;
    [[maybe_unused]] const int begun =
        deflateInit2(&stream, kLevel, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY);
    assert(begun == Z_OK);
  }
  ~Deflater() { deflateEnd(&stream); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
};

PackedRecords::PackedRecords(Output& output)
    : output_(output), deflater_(std::make_unique<Deflater>()) {}

PackedRecords::~PackedRecords() = default;

void PackedRecords::write(std::string_view text) { compress(text, false); }

void PackedRecords::finish() { compress({}, true); }

void PackedRecords::compress(std::string_view text, bool last) {
  z_stream& stream = deflater_->stream;
  std::array<char, 32 * 1024> packed;
  // zlib takes an int's worth at a time.
  constexpr std::size_t kPiece = std::size_t{1} << 30;
  do {
    const std::string_view piece = text.substr(0, kPiece);
    text.remove_prefix(piece.size());
    // zlib does not write through this pointer; its type is older than const.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream.avail_in = static_cast<uInt>(piece.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(packed.data());
      stream.avail_out = static_cast<uInt>(packed.size());
      deflate(&stream, last && text.empty() ? Z_FINISH : Z_NO_FLUSH);
      put_out({packed.data(), packed.size() - stream.avail_out}, false);
    } while (stream.avail_out == 0);
  } while (!text.empty());
  if (last) put_out({}, true);
}

void PackedRecords::put_out(std::string_view octets, bool last) {
  rest_ += octets;
  const std::size_t whole = last ? rest_.size() : rest_.size() / 3 * 3;
  if (whole == 0) return;
  output_.write(encode_base64(std::string_view(rest_).substr(0, whole)));
  rest_.erase(0, whole);
}

}  // namespace smtpscope
