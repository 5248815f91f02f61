#include "readers/reader_list.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/octets.h"
#include "capture/capture_file.h"
#include "capture/capture_reader.h"
#include "readers/growing_octets.h"
#include "readers/gunzip_octets.h"
#include "readers/joined_octets.h"
#include "readers/joined_source.h"
#include "readers/logs/catalogue.h"
#include "readers/packets/packet_source.h"
#include "readers/packets/pcap_reader.h"
#include "readers/packets/pcapng_reader.h"
#include "readers/refusal.h"
#include "readers/reread_source.h"
#include "readers/text/json_line.h"
#include "readers/text/log_source.h"
#include "readers/text/paste_plan.h"
#include "readers/utf16_octets.h"
#include "readers/zstd_octets.h"

namespace smtpscope {
namespace {

/// Octets in which any signature lies.
constexpr std::size_t kSignature = 16;

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

/// A decompressor that somebody owns, and the file that it reads.
struct NamedPacked {
  std::string name;  // "": the one file that there is
  const UnpackedOctets* octets = nullptr;
};

/// A source whose octets were compressed: knows what is wrong with that, too.
class UnpackedSource : public WireSource {
 public:
  /// `packed` are owned by `source`.
  UnpackedSource(std::unique_ptr<WireSource> source, std::vector<NamedPacked> packed)
      : source_(std::move(source)), packed_(std::move(packed)) {}

  const RunInfo& run() const override { return source_->run(); }
  Result<bool> next(WireSink& sink) override { return source_->next(sink); }
  void finish(WireSink& sink) override { source_->finish(sink); }
  std::vector<SourceNotice> notices() const override {
    using Kind = SourceNotice::Kind;
    std::vector<SourceNotice> notices = source_->notices();
    for (const NamedPacked& each : packed_) {
      const std::string where = each.name.empty() ? "" : each.name + ": ";
      if (!each.octets->damage().empty()) {
        notices.push_back(
            {Kind::kCorrupt, 1, where + each.octets->damage() + "; what came before was read"});
      } else if (each.octets->cut()) {
        notices.push_back({Kind::kCut, 1, where + "its compression has no end: it was cut off"});
      }
    }
    return notices;
  }

 private:
  std::unique_ptr<WireSource> source_;
  std::vector<NamedPacked> packed_;
};

bool is_packed(std::span<const std::uint8_t> first) {
  return begins_gzip(first) || begins_zstd(first);
}

/// `first`: what they begin with.
std::unique_ptr<UnpackedOctets> unpack(std::span<const std::uint8_t> first,
                                       std::unique_ptr<OctetSource> octets) {
  if (begins_gzip(first)) return std::make_unique<GunzipOctets>(std::move(octets));
  return std::make_unique<ZstdOctets>(std::move(octets));
}

/// Every header of ours is a JSON object; so are lines that a logging service has kept. A brace
/// without a name in quotes begins what a program printed of an object.
bool begins_smtpcap(std::span<const std::uint8_t> first) {
  const std::string_view text = text_of(first);
  return text.starts_with("{\"") && !holds_json_lines(text);
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

/// A format that is not text: it begins with a signature.
struct BinaryKind {
  FormatWords words;
  bool (*recognises)(std::span<const std::uint8_t> first);
  Opened (*open)(std::unique_ptr<OctetSource> octets, const std::string& name,
                 const SourceOptions& options);
};
constexpr std::array kBinary = {
    BinaryKind{{"smtpcap", "what smtpscope proxy writes", "smtpscope proxy -w FILE"},
               begins_smtpcap,
               open_smtpcap},
    BinaryKind{{"pcap", "packets, as tcpdump writes them", "tcpdump -i any -w FILE tcp port 25"},
               begins_pcap,
               open_packets<PcapReader::open>},
    BinaryKind{{"pcapng", "packets, as Wireshark and dumpcap write them",
                "dumpcap -i any -f 'tcp port 25' -w FILE"},
               begins_pcapng,
               open_packets<PcapngReader::open>},
};

/// How a file is to be read.
struct Recognised {
  const BinaryKind* binary = nullptr;
  const LogKind* log = nullptr;
  PastePlan plan;
};

/// Octets that no text has.
bool is_text(std::span<const std::uint8_t> octets) {
  return std::find(octets.begin(), octets.end(), std::uint8_t{0}) == octets.end();
}

/// `whole`: there is no more, or as much as is looked at.
Recognised recognise(std::span<const std::uint8_t> first, bool whole) {
  Recognised found;
  // An object of JSON is told by its first line, once that is whole.
  const bool cut = std::find(first.begin(), first.end(), std::uint8_t{'\n'}) == first.end();
  if (!first.empty() && first.front() == '{' && cut && !whole) return found;
  for (const BinaryKind& kind : kBinary) {
    if (kind.recognises(first)) {
      found.binary = &kind;
      return found;
    }
  }
  if (!is_text(first)) return found;
  found.plan = PastePlan::of(text_of(first));
  found.log = found.plan.plain() ? find_log(text_of(first), whole)
                                 : find_log(found.plan.unwrapped(text_of(first)), whole);
  return found;
}

/// When the file behind a descriptor was written last; of a pipe, when something was last put into
/// it.
WallTime written_last(int descriptor) {
  struct stat found {};
  if (fstat(descriptor, &found) != 0) return WallTime{};
  return WallTime{std::chrono::seconds(found.st_mtim.tv_sec) +
                  std::chrono::nanoseconds(found.st_mtim.tv_nsec)};
}

/// The format of what was peeked, or else of as much as is needed to tell.
Result<Recognised> find_format(PeekedOctets& octets) {
  std::size_t looked_at = 0;
  while (true) {
    const std::size_t size = octets.seen().size();
    const bool enough = size >= kRecognisedBy;
    // A pipe gives little at a time: what was looked at is looked at again only when there is as
    // much more.
    if (enough || size >= 2 * looked_at) {
      looked_at = size;
      Recognised found = recognise(octets.seen(), enough);
      if (found.binary != nullptr || found.log != nullptr || enough) return found;
    }
    const Result<bool> more = octets.peek_more(kRecognisedBy - size);
    if (!more) return more.error();
    if (!more.value()) return recognise(octets.seen(), /*whole=*/true);
  }
}

/// What the user says that the file is.
Result<Recognised> chosen_format(PeekedOctets& octets, const std::string& name) {
  Recognised chosen;
  for (const BinaryKind& kind : kBinary) {
    if (kind.words.name == name) chosen.binary = &kind;
  }
  for (const LogKind* kind : all_logs()) {
    if (kind->name == name) chosen.log = kind;
  }
  if (chosen.log == nullptr) return chosen;
  const Result<std::span<const std::uint8_t>> first = octets.peek(kRecognisedBy);
  if (!first) return first.error();
  chosen.plan = PastePlan::of(text_of(first.value()));
  return chosen;
}

}  // namespace

std::vector<FormatWords> all_formats() {
  std::vector<FormatWords> words;
  words.reserve(std::size(kBinary) + all_logs().size());
  for (const BinaryKind& kind : kBinary) words.push_back(kind.words);
  for (const LogKind* kind : all_logs())
    words.push_back({kind->name, kind->description, kind->how});
  return words;
}

std::string_view format_of(std::span<const std::uint8_t> first) {
  const Recognised found = recognise(first, /*whole=*/true);
  if (found.binary != nullptr) return found.binary->words.name;
  return found.log != nullptr ? found.log->name : std::string_view();
}

std::optional<RunPart> run_part_of(const std::string& path) {
  const Result<int> descriptor = open_capture_file(path);
  if (!descriptor) return std::nullopt;
  struct stat found {};
  std::unique_ptr<OctetSource> plain = std::make_unique<DescriptorOctets>(descriptor.value(), path);
  // What comes through a pipe can be read once only.
  if (fstat(descriptor.value(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
  auto octets = std::make_unique<PeekedOctets>(std::move(plain));
  auto first = octets->peek(kSignature);
  if (first && is_packed(first.value())) {
    std::unique_ptr<OctetSource> unpacking = unpack(first.value(), std::move(octets));
    octets = std::make_unique<PeekedOctets>(std::move(unpacking));
    first = octets->peek(kSignature);
  }
  if (!first || !begins_smtpcap(first.value())) return std::nullopt;
  const auto reader = CaptureReader::open(std::move(octets), path);
  if (!reader || reader.value()->run().run.empty()) return std::nullopt;
  return RunPart{reader.value()->run().run, reader.value()->run().part};
}

namespace {

/// A file's octets, out of what they are wrapped in.
struct OpenedOctets {
  std::unique_ptr<PeekedOctets> octets;
  GrowingOctets* growing = nullptr;          // owned by `octets`
  const UnpackedOctets* unpacked = nullptr;  // likewise
  WallTime written{};
  std::string name;
};

Result<OpenedOctets> open_octets(const std::string& path, const SourceOptions& options) {
  const Result<int> descriptor = open_capture_file(path);
  if (!descriptor) return descriptor.error();
  OpenedOctets opened;
  opened.written = written_last(descriptor.value());
  opened.name = path == "-" ? "standard input" : path;
  std::unique_ptr<OctetSource> file;
  if (options.on_rotation && path != "-") {
    auto growing = std::make_unique<GrowingOctets>(descriptor.value(), path, options.on_rotation);
    opened.growing = growing.get();
    file = std::move(growing);
  } else {
    file = std::make_unique<DescriptorOctets>(descriptor.value(), opened.name);
  }
  auto octets = std::make_unique<PeekedOctets>(std::move(file));
  auto first = octets->peek(kSignature);
  if (!first) return first.error();
  if (is_packed(first.value())) {
    std::unique_ptr<UnpackedOctets> unpacking = unpack(first.value(), std::move(octets));
    opened.unpacked = unpacking.get();
    octets = std::make_unique<PeekedOctets>(std::move(unpacking));
    first = octets->peek(kSignature);
    if (!first) return first.error();
  }
  if (const auto order = utf16_order(first.value())) {
    octets =
        std::make_unique<PeekedOctets>(std::make_unique<Utf16Octets>(std::move(octets), *order));
  }
  opened.octets = std::move(octets);
  return opened;
}

Opened open_recognised(std::unique_ptr<PeekedOctets> octets, const std::string& name,
                       const SourceOptions& options, GrowingOctets* growing) {
  Result<Recognised> found =
      options.format.empty() ? find_format(*octets) : chosen_format(*octets, options.format);
  if (!found) return found.error();
  if (found.value().binary == nullptr && found.value().log == nullptr) {
    return Error{why_unread(name, octets->seen())};
  }
  if (const LogKind* log = found.value().log) {
    PastePlan& plan = found.value().plan;
    if (options.format.empty()) {
      return std::unique_ptr<WireSource>(std::make_unique<RereadSource>(
          std::move(octets), name, *log, options.written, std::move(plan)));
    }
    return std::unique_ptr<WireSource>(std::make_unique<LogSource>(
        std::move(octets), name, log->make, options.written, std::move(plan)));
  }
  if (growing != nullptr) growing->stay();
  return found.value().binary->open(std::move(octets), name, options);
}

}  // namespace

Opened open_source(const std::string& path, const SourceOptions& options) {
  Result<OpenedOctets> file = open_octets(path, options);
  if (!file) return file.error();
  OpenedOctets& opened = file.value();
  const auto first = opened.octets->peek(1);
  if (!first) return first.error();
  if (first.value().empty() && opened.unpacked == nullptr) {
    return Error{fmt::format("{} is empty: nothing was captured into it", opened.name)};
  }
  SourceOptions chosen = options;
  chosen.written = opened.written;
  // What is compressed is written no more.
  if (opened.growing != nullptr && opened.unpacked != nullptr) opened.growing->stay();
  Opened source = open_recognised(std::move(opened.octets), opened.name, chosen, opened.growing);
  if (!source || opened.unpacked == nullptr) return source;
  return std::unique_ptr<WireSource>(std::make_unique<UnpackedSource>(
      std::move(source.value()), std::vector<NamedPacked>{{"", opened.unpacked}}));
}

Opened open_joined(const std::vector<std::string>& paths, const std::string& name,
                   const SourceOptions& options) {
  std::vector<std::unique_ptr<OctetSource>> parts;
  std::vector<NamedPacked> packed;
  SourceOptions chosen = options;
  chosen.on_rotation = nullptr;
  for (const std::string& path : paths) {
    Result<OpenedOctets> opened = open_octets(path, chosen);
    if (!opened) return opened.error();
    if (opened.value().unpacked != nullptr) packed.push_back({path, opened.value().unpacked});
    chosen.written = opened.value().written;
    parts.push_back(std::move(opened.value().octets));
  }
  auto octets = std::make_unique<PeekedOctets>(std::make_unique<JoinedOctets>(std::move(parts)));
  const auto first = octets->peek(1);
  if (!first) return first.error();
  if (first.value().empty()) return Error{fmt::format("{} are empty", name)};
  Opened source = open_recognised(std::move(octets), name, chosen, nullptr);
  if (!source || packed.empty()) return source;
  return std::unique_ptr<WireSource>(
      std::make_unique<UnpackedSource>(std::move(source.value()), std::move(packed)));
}

bool may_be_log(const std::string& path) {
  if (path == "-") return false;  // it can be read once
  Result<OpenedOctets> opened = open_octets(path, {});
  if (!opened) return false;
  const auto first = opened.value().octets->peek(kSignature);
  return first && std::none_of(kBinary.begin(), kBinary.end(), [&](const BinaryKind& kind) {
           return kind.recognises(first.value());
         });
}

}  // namespace smtpscope
