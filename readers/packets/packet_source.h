#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/wire_source.h"
#include "readers/packets/flow_table.h"
#include "readers/packets/ip_defragmenter.h"
#include "readers/packets/packet_reader.h"
#include "readers/packets/session_ledger.h"

namespace smtpscope {

/// The SMTP sessions in a capture of packets, as wire events: packets, IP, TCP, streams. Times are
/// those of the packets. Credentials in it are as they went over the wire. Not thread-safe.
class PacketSource : public WireSource {
 public:
  /// `name` is the file's; `ports` are those that the user wants, all if there is none.
  PacketSource(std::unique_ptr<PacketReader> packets, std::string name,
               std::vector<std::uint16_t> ports);

  const RunInfo& run() const override { return run_; }
  Result<bool> next(WireSink& sink) override;
  void finish(WireSink& sink) override;
  std::vector<SourceNotice> notices() const override;

 private:
  void take(const Packet& packet);
  void take_ip(std::span<const std::uint8_t> octets, Time now);
  Time time_of(WallTime wall);

  std::unique_ptr<PacketReader> packets_;
  RunInfo run_;
  SessionLedger ledger_;
  FlowTable flows_;
  IpDefragmenter fragments_;
  std::optional<WallTime> first_;
  Time latest_;
  Duration longest_step_back_{};
  std::uint64_t read_ = 0;                                // packets
  std::map<std::uint32_t, std::uint64_t> unknown_links_;  // packets by link type, a few of them
};

}  // namespace smtpscope
