#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/connection.h"
#include "net/loop.h"
#include "net/timer.h"
#include "proxy/identity/proxy_header.h"
#include "proxy/proxy_process.h"
#include "proxy/upstream.h"

namespace smtpscope {

class Reception;

/// Keeps receptions; told by them.
class ReceptionHost {
 public:
  virtual ~ReceptionHost() = default;
  /// It is known who the client is. To be destroyed, also from within this call.
  virtual void on_announced(Reception& reception) = 0;
  /// It will not be known; the connection is over. To be destroyed likewise.
  virtual void on_not_announced(Reception& reception) = 0;
};

/// A connection of a peer that says for whom it connects, until it has said so: by a header of the
/// PROXY protocol before all else. What comes behind it belongs to the session.
class Reception : private ConnectionEvents {
 public:
  /// For the header: a sender has it ready when it connects.
  static constexpr Duration kPatience = std::chrono::seconds(5);
  /// For a peer that was told 421 to close; closing on octets that were not read would send an RST,
  /// which may overtake the 421 (RFC 1122 4.2.2.13).
  static constexpr Duration kLinger = std::chrono::seconds(2);

  /// `host` must outlive it.
  Reception(Loop& loop, ConnectionPtr connection, const Arrival& arrival, ReceptionHost& host);

  void start();

  // Once announced.
  /// With the client that was named; as it was, where the peer speaks for itself.
  Arrival arrival() const;
  /// Who named it, and by what: "192.0.2.1:40000 (PROXY v2)"; "" if the peer speaks for itself.
  std::string announced_by() const;
  /// What was read behind the header.
  const std::vector<std::uint8_t>& rest() const { return rest_; }
  ConnectionPtr take_connection();

  /// Not announced: why.
  const std::string& fault() const { return fault_; }
  std::string peer() const { return arrival_.client.text(); }

  std::size_t slot = 0;       // the host's place for it
  Room room = Room::kInside;  // likewise: what it takes

 private:
  void on_read(Connection& connection, Time when, std::span<const std::uint8_t> octets) override;
  void on_closed(Connection& connection, CloseKind kind, std::string_view reason) override;
  void on_drained(Connection&) override {}
  void on_write_failed(Connection&) override {}
  void on_time_up();
  void turn_away(std::string fault);

  ConnectionPtr connection_;
  const Arrival arrival_;
  ReceptionHost& host_;
  ProxyHeaderReader header_;
  std::vector<std::uint8_t> rest_;
  TimerPtr timer_;
  std::string fault_;
};

}  // namespace smtpscope
