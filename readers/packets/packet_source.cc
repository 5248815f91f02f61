#include "readers/packets/packet_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "base/time_bounds.h"
#include "readers/packets/ip_packet.h"
#include "readers/packets/link_layer.h"
#include "readers/packets/tcp_segment.h"

namespace smtpscope {
namespace {

/// Capture clocks step back a little all the time: loopback and several queues do that.
constexpr Duration kHarmlessStepBack = std::chrono::seconds(1);
/// Link types that a notice names.
constexpr std::size_t kMaxUnknownLinks = 8;

std::string named(const SessionLedger::Mentions& mentions) {
  return fmt::format("{} {}{}", mentions.count == 1 ? "session" : "sessions",
                     fmt::join(mentions.first, ", "),
                     mentions.count > mentions.first.size() ? " and others" : "");
}

}  // namespace

PacketSource::PacketSource(std::unique_ptr<PacketReader> packets, std::string name,
                           std::vector<std::uint16_t> ports)
    : packets_(std::move(packets)), ledger_(std::move(ports)), flows_(ledger_) {
  run_.source = std::move(name);
  run_.writer = packets_->writer();
  run_.credentials_kept = true;
  run_.message_kept = "full";
}

Time PacketSource::time_of(WallTime wall) {
  if (!first_) run_.started = *(first_ = wall);
  const Time time{std::clamp(wall - *first_, -kFurthestTime, kFurthestTime)};
  if (time >= latest_) {
    latest_ = time;
  } else {
    longest_step_back_ = std::max(longest_step_back_, latest_ - time);
  }
  return time;
}

Result<bool> PacketSource::next(WireSink& sink) {
  Packet packet;
  const Result<PacketReader::Found> found = packets_->next(packet);
  if (!found) return found.error();
  if (found.value() == PacketReader::Found::kEnd) return false;
  if (found.value() == PacketReader::Found::kPacket) {
    ++read_;
    ledger_.sink = &sink;
    take(packet);
  }
  return true;
}

void PacketSource::take(const Packet& packet) {
  const Time now = time_of(packet.time);
  const Frame frame = open_frame(packet.link, packet.octets);
  switch (frame.holds) {
    case Frame::Holds::kIp:
      take_ip(frame.ip, now);
      return;
    case Frame::Holds::kUnknown:
      if (unknown_links_.size() < kMaxUnknownLinks || unknown_links_.contains(packet.link)) {
        ++unknown_links_[packet.link];
      }
      return;
    case Frame::Holds::kOther:
      return;
  }
}

void PacketSource::take_ip(std::span<const std::uint8_t> octets, Time now) {
  std::optional<IpPacket> packet = open_ip(octets);
  if (!packet) return;
  if (packet->fragment) {
    packet = fragments_.take(*packet, now);
    if (!packet) return;
  }
  if (const std::optional<TcpSegment> segment = open_tcp(*packet)) flows_.take(*segment, now);
}

void PacketSource::finish(WireSink& sink) {
  ledger_.sink = &sink;
  flows_.finish(latest_);
}

std::vector<SourceNotice> PacketSource::notices() const {
  using Kind = SourceNotice::Kind;
  std::vector<SourceNotice> notices;
  if (!packets_->damage().empty()) {
    notices.push_back({Kind::kCorrupt, 1, packets_->damage() + "; what came before was read"});
  } else if (packets_->cut()) {
    notices.push_back({Kind::kCut, 1,
                       fmt::format("it ends inside a packet, after {}: the capture was cut off "
                                   "there",
                                   counted(read_, "whole packet"))});
  }
  if (read_ == 0 && packets_->damage().empty()) {
    notices.push_back({Kind::kUnknown, 0, "it holds no packet"});
  }
  for (const auto& [link, packets] : unknown_links_) {
    notices.push_back({Kind::kUnknown, packets,
                       fmt::format("{} of link type {}, which smtpscope cannot read, left out",
                                   counted(packets, "packet"), link)});
  }
  if (ledger_.others > 0) {
    const std::string tls =
        ledger_.tls > 0 ? fmt::format(" ({} of them TLS from the first octet)", ledger_.tls) : "";
    notices.push_back(
        {Kind::kUnknown, ledger_.others,
         fmt::format("{} that {} not SMTP{} left out; --port shows what is said on a port anyway",
                     counted(ledger_.others, "connection"), ledger_.others == 1 ? "is" : "are",
                     tls)});
  }
  if (ledger_.one_sided.count > 0) {
    notices.push_back({Kind::kUnknown, ledger_.one_sided.count,
                       fmt::format("only one side was captured of {}", named(ledger_.one_sided))});
  }
  if (ledger_.contradictions.count > 0) {
    notices.push_back({Kind::kUnknown, ledger_.contradictions.count,
                       fmt::format("octets were sent twice, and were others the second time, in "
                                   "{}: the first are shown",
                                   named(ledger_.contradictions))});
  }
  if (longest_step_back_ > kHarmlessStepBack) {
    notices.push_back(
        {Kind::kUnknown, 1,
         fmt::format("its packets are not in the order of time (up to {:.1f} s back); inside a "
                     "session time never runs backwards",
                     std::chrono::duration<double>(longest_step_back_).count())});
  }
  if (fragments_.incomplete() > 0) {
    notices.push_back({Kind::kUnknown, fragments_.incomplete(),
                       fmt::format("{} lacked fragments, and could not be put together",
                                   counted(fragments_.incomplete(), "IP packet"))});
  }
  if (flows_.given_up() > 0) {
    notices.push_back({Kind::kUnknown, flows_.given_up(),
                       fmt::format("{} given up because too many were open at once",
                                   counted(flows_.given_up(), "connection"))});
  }
  return notices;
}

}  // namespace smtpscope
