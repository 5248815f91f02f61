#include "readers/reader_list.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/octets.h"
#include "capture/capture_file.h"
#include "capture/capture_reader.h"
#include "readers/gunzip_octets.h"
#include "readers/log_exchange.h"
#include "readers/log_exim.h"
#include "readers/log_postfix.h"
#include "readers/log_source.h"
#include "readers/log_ssmtp.h"
#include "readers/log_swaks.h"
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
    while (first_.size() < wanted) {
      const Result<bool> more = peek_more(wanted - first_.size());
      if (!more) return more.error();
      if (!more.value()) break;
    }
    return seen();
  }
  /// What one read gives. False at the end.
  Result<bool> peek_more(std::size_t most) {
    const std::size_t before = first_.size();
    first_.resize(before + most);
    const Result<std::size_t> got = rest_->read(std::span(first_).subspan(before));
    first_.resize(before + (got ? got.value() : 0));
    if (!got) return got.error();
    return got.value() > 0;
  }
  std::span<const std::uint8_t> seen() const { return first_; }

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

template <bool (*recognises)(std::string_view)>
bool begins_log(std::span<const std::uint8_t> first) {
  return recognises(text_of(first));
}

template <LogSource::MakeReader make>
Opened open_log(std::unique_ptr<OctetSource> octets, const std::string& name,
                const SourceOptions& options) {
  return std::unique_ptr<WireSource>(
      std::make_unique<LogSource>(std::move(octets), name, make, options.written));
}

constexpr std::array kAll = {
    ReaderKind{"smtpcap", "what smtpscope proxy writes", begins_smtpcap, open_smtpcap},
    ReaderKind{"pcap", "packets, as tcpdump writes them", begins_pcap,
               open_packets<PcapReader::open>},
    ReaderKind{"pcapng", "packets, as Wireshark and dumpcap write them", begins_pcapng,
               open_packets<PcapngReader::open>},
    ReaderKind{"exchange", "protocol logs of Exchange's connectors",
               begins_log<ExchangeLog::recognises>, open_log<ExchangeLog::make>},
    ReaderKind{"swaks", "transcripts of swaks", begins_log<SwaksLog::recognises>,
               open_log<SwaksLog::make>},
    ReaderKind{"postfix", "logs of Postfix with smtpd -v or debug_peer_list",
               begins_log<PostfixLog::recognises>, open_log<PostfixLog::make>},
    ReaderKind{"ssmtp", "what sSMTP tells with -v or Debug=YES", begins_log<SsmtpLog::recognises>,
               open_log<SsmtpLog::make>},
    ReaderKind{"exim", "what Exim prints with -d", begins_log<EximLog::recognises>,
               open_log<EximLog::make>},
};

/// When the file behind a descriptor was written last; of a pipe, when something was last put into
/// it.
WallTime written_last(int descriptor) {
  struct stat found {};
  if (fstat(descriptor, &found) != 0) return WallTime{};
  return WallTime{std::chrono::seconds(found.st_mtim.tv_sec) +
                  std::chrono::nanoseconds(found.st_mtim.tv_nsec)};
}

/// The format of what was peeked, or else of as much as is needed to tell; nullptr if it is none.
Result<const ReaderKind*> find_reader(PeekedOctets& octets) {
  while (true) {
    for (const ReaderKind& kind : kAll) {
      if (kind.recognises(octets.seen())) return &kind;
    }
    if (octets.seen().size() >= kLogRecognisedBy) return nullptr;
    const Result<bool> more = octets.peek_more(kLogRecognisedBy - octets.seen().size());
    if (!more) return more.error();
    if (!more.value()) return nullptr;
  }
}

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
  const WallTime written = written_last(descriptor.value());
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
  const Result<const ReaderKind*> kind = find_reader(*octets);
  if (!kind) return kind.error();
  if (kind.value() == nullptr) {
    return Error{fmt::format("cannot read {}: it is of no known format ({}; gzipped or not)", name,
                             names_of_all())};
  }
  SourceOptions chosen = options;
  chosen.written = written;
  Opened source = kind.value()->open(std::move(octets), name, chosen);
  if (!source || unpacked == nullptr) return source;
  return std::unique_ptr<WireSource>(
      std::make_unique<UnpackedSource>(std::move(source.value()), *unpacked));
}

}  // namespace smtpscope
