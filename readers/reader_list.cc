#include "readers/reader_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "capture/capture_file.h"
#include "capture/capture_reader.h"
#include "readers/gunzip_octets.h"
#include "readers/packet_source.h"
#include "readers/pcap_reader.h"
#include "readers/pcapng_reader.h"

namespace smtpscope {
namespace {

using Opened = Result<std::unique_ptr<WireSource>>;
using PacketFormat = Result<std::unique_ptr<PacketReader>> (*)(std::unique_ptr<OctetSource>);

/// Octets that were looked at already, and then those that follow.
class PeekedOctets : public OctetSource {
 public:
  explicit PeekedOctets(std::unique_ptr<OctetSource> rest) : rest_(std::move(rest)) {}

  /// The first octets, up to `wanted`.
  Result<std::span<const std::uint8_t>> peek(std::size_t wanted) {
    std::array<std::uint8_t, kRecognisedBy> room{};
    while (first_.size() < wanted) {
      const auto got = rest_->read(std::span(room).first(wanted - first_.size()));
      if (!got) return got.error();
      if (got.value() == 0) break;
      first_.insert(first_.end(), room.begin(),
                    room.begin() + static_cast<std::ptrdiff_t>(got.value()));
    }
    return std::span<const std::uint8_t>(first_);
  }

  Result<std::size_t> read(std::span<std::uint8_t> room) override {
    if (taken_ == first_.size()) return rest_->read(room);
    const std::size_t count = std::min(room.size(), first_.size() - taken_);
    std::copy_n(first_.begin() + static_cast<std::ptrdiff_t>(taken_), count, room.begin());
    taken_ += count;
    return count;
  }

 private:
  std::unique_ptr<OctetSource> rest_;
  std::vector<std::uint8_t> first_;
  std::size_t taken_ = 0;
};

/// A source whose octets come out of gzip: knows what is wrong with that, too.
class UnpackedSource : public WireSource {
 public:
  /// `gunzip` is owned by `source`.
  UnpackedSource(std::unique_ptr<WireSource> source, const GunzipOctets& gunzip)
      : source_(std::move(source)), gunzip_(gunzip) {}

  const RunInfo& run() const override { return source_->run(); }
  Result<bool> next(WireSink& sink) override { return source_->next(sink); }
  void finish(WireSink& sink) override { source_->finish(sink); }
  std::vector<SourceNotice> notices() const override {
    using Kind = SourceNotice::Kind;
    std::vector<SourceNotice> notices = source_->notices();
    if (!gunzip_.damage().empty()) {
      notices.push_back({Kind::kCorrupt, 1, gunzip_.damage() + "; what came before was read"});
    } else if (gunzip_.cut()) {
      notices.push_back({Kind::kCut, 1, "its compression has no end: it was cut off"});
    }
    return notices;
  }

 private:
  std::unique_ptr<WireSource> source_;
  const GunzipOctets& gunzip_;
};

/// Every header of ours is a JSON object.
bool begins_smtpcap(std::span<const std::uint8_t> first) {
  return !first.empty() && first.front() == '{';
}

Opened open_smtpcap(std::unique_ptr<OctetSource> octets, const std::string& name,
                    const SourceOptions& /*options*/) {
  Result<std::unique_ptr<CaptureReader>> reader = CaptureReader::open(std::move(octets), name);
  if (!reader) return reader.error();
  return std::unique_ptr<WireSource>(std::move(reader.value()));
}

template <PacketFormat format>
Opened open_packets(std::unique_ptr<OctetSource> octets, const std::string& name,
                    const SourceOptions& options) {
  Result<std::unique_ptr<PacketReader>> packets = format(std::move(octets));
  if (!packets) return Error{fmt::format("cannot read {}: {}", name, packets.error().message)};
  return std::unique_ptr<WireSource>(
      std::make_unique<PacketSource>(std::move(packets.value()), name, options.ports));
}

constexpr std::array kAll = {
    ReaderKind{"smtpcap", "what smtpscope proxy writes", begins_smtpcap, open_smtpcap},
    ReaderKind{"pcap", "packets, as tcpdump writes them", begins_pcap,
               open_packets<PcapReader::open>},
    ReaderKind{"pcapng", "packets, as Wireshark and dumpcap write them", begins_pcapng,
               open_packets<PcapngReader::open>},
};

std::string names_of_all() {
  std::string names;
  for (const ReaderKind& kind : kAll) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", kind.name);
  }
  return names;
}

}  // namespace

std::span<const ReaderKind> all_readers() { return kAll; }

Opened open_source(const std::string& path, const SourceOptions& options) {
  const Result<int> descriptor = open_capture_file(path);
  if (!descriptor) return descriptor.error();
  const std::string name = path == "-" ? "standard input" : path;
  auto octets =
      std::make_unique<PeekedOctets>(std::make_unique<DescriptorOctets>(descriptor.value(), name));
  auto first = octets->peek(kRecognisedBy);
  if (!first) return first.error();
  if (first.value().empty()) {
    return Error{fmt::format("{} is empty: nothing was captured into it", name)};
  }
  const GunzipOctets* unpacked = nullptr;
  if (begins_gzip(first.value())) {
    auto gunzip = std::make_unique<GunzipOctets>(std::move(octets));
    unpacked = gunzip.get();
    octets = std::make_unique<PeekedOctets>(std::move(gunzip));
    first = octets->peek(kRecognisedBy);
    if (!first) return first.error();
  }
  for (const ReaderKind& kind : kAll) {
    if (!kind.recognises(first.value())) continue;
    Opened source = kind.open(std::move(octets), name, options);
    if (!source || unpacked == nullptr) return source;
    return std::unique_ptr<WireSource>(
        std::make_unique<UnpackedSource>(std::move(source.value()), *unpacked));
  }
  return Error{fmt::format("cannot read {}: it is of no known format ({}; gzipped or not)", name,
                           names_of_all())};
}

}  // namespace smtpscope
