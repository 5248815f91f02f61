#include "capture/packed_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/system_error.h"
#include "capture/new_file.h"

namespace smtpscope {
namespace {

constexpr std::size_t kStep = std::size_t{128} * 1024;

/// A descriptor that is closed in the end.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int get() const { return descriptor_; }
  /// Some file systems tell only now that there is no room.
  bool close() { return ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

bool write_whole(int descriptor, std::span<const std::uint8_t> octets) {
  while (!octets.empty()) {
    const ssize_t wrote = ::write(descriptor, octets.data(), octets.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    octets = octets.subspan(static_cast<std::size_t>(wrote));
  }
  return true;
}

class GzipPacker {
 public:
  static constexpr int kGzipWindow = 15 + 16;

  GzipPacker() {
    ready_ = deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8,
                          Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~GzipPacker() {
    if (ready_) deflateEnd(&stream_);
  }
  GzipPacker(const GzipPacker&) = delete;
  GzipPacker& operator=(const GzipPacker&) = delete;

  bool ready() const { return ready_; }
  /// Gives each piece of what it makes to `take(span)`, which says whether to go on.
  template <typename Take>
  bool pack(std::span<std::uint8_t> octets, bool last, const Take& take) {
    stream_.next_in = octets.data();
    stream_.avail_in = static_cast<uInt>(octets.size());
    int done = Z_OK;
    do {
      stream_.next_out = room_.data();
      stream_.avail_out = static_cast<uInt>(room_.size());
      done = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      if (!take(std::span<const std::uint8_t>(room_).first(room_.size() - stream_.avail_out))) {
        return false;
      }
    } while (last ? done == Z_OK : stream_.avail_out == 0);
    return !last || done == Z_STREAM_END;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
  std::vector<std::uint8_t> room_ = std::vector<std::uint8_t>(kStep);
};

class ZstdPacker {
 public:
  bool ready() const { return context_ != nullptr; }
  template <typename Take>
  bool pack(std::span<std::uint8_t> octets, bool last, const Take& take) {
    ZSTD_inBuffer in{octets.data(), octets.size(), 0};
    std::size_t left = 0;
    do {
      ZSTD_outBuffer out{room_.data(), room_.size(), 0};
      left = ZSTD_compressStream2(context_.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0) return false;
      if (!take(std::span<const std::uint8_t>(room_).first(out.pos))) return false;
    } while (last ? left > 0 : in.pos < in.size);
    return true;
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_{ZSTD_createCCtx()};
  std::vector<std::uint8_t> room_ = std::vector<std::uint8_t>(kStep);
};

template <typename Packer>
Result<Done> pack_file(const std::string& from, const std::string& to,
                       const std::atomic<bool>& stop) {
  const auto failed = [&](std::string_view why) {
    return Error{fmt::format("cannot compress {}: {}", from, why)};
  };
  const OpenFile source(::open(from.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC));
  if (source.get() < 0) return failed(system_words(errno));
  Packer packer;
  if (!packer.ready()) return failed("out of memory");
  const Result<int> made = create_new_file(to, "the compressed capture", true);
  if (!made) return made.error();
  OpenFile target(made.value());
  const auto give_up = [&](std::string_view why) {
    ::unlink(to.c_str());
    return failed(why);
  };
  std::vector<std::uint8_t> octets(kStep);
  while (true) {
    if (stop) return give_up("smtpscope was stopped");
    const ssize_t got = ::read(source.get(), octets.data(), octets.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return give_up(system_words(errno));
    const std::span<std::uint8_t> piece = std::span(octets).first(static_cast<std::size_t>(got));
    const bool packed = packer.pack(piece, got == 0, [&](std::span<const std::uint8_t> out) {
      return write_whole(target.get(), out);
    });
    if (!packed) return give_up(errno != 0 ? system_words(errno) : "it cannot be written");
    if (got == 0) break;
  }
  // The original goes: what takes its place must be on the disk.
  if (::fsync(target.get()) != 0 || !target.close()) return give_up(system_words(errno));
  return Done{};
}

}  // namespace

Result<Done> pack_with_gzip(const std::string& from, const std::string& to,
                            const std::atomic<bool>& stop) {
  return pack_file<GzipPacker>(from, to, stop);
}

Result<Done> pack_with_zstd(const std::string& from, const std::string& to,
                            const std::atomic<bool>& stop) {
  return pack_file<ZstdPacker>(from, to, stop);
}

}  // namespace smtpscope
