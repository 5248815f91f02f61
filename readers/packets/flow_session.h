#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capture/wire_event.h"
#include "readers/packets/session_ledger.h"
#include "readers/packets/smtp_signs.h"
#include "readers/packets/tcp_connection.h"

namespace smtpscope {

/// Makes an SMTP session's wire events of what the two ends of one TCP connection say. While it is
/// not known whether they speak SMTP a few KiB are held; connections that do not are forgotten but
/// for their being there. Not thread-safe; pinned in memory.
class FlowSession : public StreamSink {
 public:
  enum class Stage : std::uint8_t {
    kUndecided,
    kRecognised,  // speaks SMTP; show() is to be called
    kShown,
    kLingering,  // one side has reset the connection; late octets may still come
    kDone,       // ended, or not shown
  };

  /// `ends` by index(Peer). `connection` and `ledger` must outlive this.
  FlowSession(const std::array<ConnectionEnd, 2>& ends, const TcpConnection& connection,
              SessionLedger& ledger, Time now);

  // What the connection says.
  void on_octets(Peer from, Time time, std::span<const std::uint8_t> octets) override;
  void on_missing(Peer from, Time time, std::uint64_t octets, bool cut) override;
  void on_fin(Peer from, Time time) override;
  void on_reset(Peer from, Time time) override;
  void on_contradiction(Peer from, Time time) override;

  /// The connection has taken a packet: what it says of the handshake may have changed.
  void on_packet();
  /// kRecognised: begins to hand over events. kUndecided: does so too, because its server has been
  /// found to speak SMTP in another connection. Sessions are numbered in the order of these calls.
  void show();
  /// The connection is over as far as the capture tells. `at_end`: because the capture is; then a
  /// session that was going on stays open.
  void end(bool at_end);

  Stage stage() const { return stage_; }
  /// Who is asked for service, as far as it is known before anything is said.
  std::optional<Peer> presumed_server() const;
  /// kRecognised: the end that has spoken SMTP as a server; empty when that is behind a tunnel.
  std::optional<ConnectionEnd> recognised_server() const;
  const ConnectionEnd& endpoint(Peer peer) const { return ends_[index(peer)]; }
  Time began() const { return began_; }

 private:
  /// Something said before it was known what the connection speaks.
  struct Said {
    enum class What : std::uint8_t { kOctets, kMissing, kCut, kFin };
    What what = What::kOctets;
    Peer from = Peer::kLower;
    Time time;
    std::uint64_t octets = 0;
  };
  struct Candidate {
    Judgement judgement;
    std::vector<Said> said;
    std::array<std::string, 2> octets;
  };

  Side side_of(Peer peer) const { return peer == client_ ? Side::kClient : Side::kServer; }
  void keep(const Said& said, std::span<const std::uint8_t> octets);
  void decide(bool over);
  void settle();
  void release(const Candidate& candidate);
  void ignore(bool tls);
  void open();
  void fail(std::string_view reason);
  void close(Peer from, CloseKind kind, Time time);
  void finish_session();
  template <typename Body>
  void emit(Time time, Body&& body);

  std::array<ConnectionEnd, 2> ends_;
  const TcpConnection& connection_;
  SessionLedger& ledger_;
  Time began_;
  Time last_;  // of the last event, or packet
  Stage stage_ = Stage::kUndecided;
  bool opened_ = false;
  bool connected_ = false;
  Peer client_ = Peer::kLower;
  std::array<bool, 2> closed_{}, reset_{};
  std::array<bool, 2> spoke_{};
  bool contradicted_ = false;
  SessionId session_ = 0;  // 0: has no number yet
  std::string tunnel_target_;
  std::unique_ptr<Candidate> candidate_;  // kUndecided and kRecognised only
};

}  // namespace smtpscope
