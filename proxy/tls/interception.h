#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/side.h"
#include "base/time.h"
#include "proxy/layer.h"
#include "proxy/relay_observer.h"
#include "proxy/tls/starttls_watch.h"
#include "proxy/tls/tls_channel.h"
#include "proxy/tls/tls_service.h"
#include "proxy/tls/upstream_dialogue.h"

namespace smtpscope {

/// The layer of a session where TLS is not passed through: what
/// comes from a peer is decrypted before the relay gets it, and what the relay sends is encrypted
/// for the other one. Each leg is in the clear or in TLS on its own account; legs that turn at the
/// client's STARTTLS do so together. Tells the observer of handshakes. Octets for a leg wait here
/// while its handshake goes on. Sans-I/O, as the relay is. Not thread-safe.
///
/// The order of a handshake on both sides: the client's ClientHello is read; the server is asked
/// for the same (name, versions, ALPN); what it shows and chooses decides what the client is
/// answered.
class Interception : public Layer, private StarttlsWatchEvents {
 public:
  /// `server_name`: whom the server's certificate must be for, "" if it has no name. `client_tls`:
  /// the client speaks TLS from its first octet. All others must outlive it; `observer` may be
  /// nullptr.
  Interception(SessionId session, TlsService& service, std::string server_name, bool client_tls,
               SessionObserver* observer);
  ~Interception() override;

  using Layer::handle;
  void handle(Time now, const UpstreamReady& ready) override;
  void handle(Time now, const UpstreamUnreachable& event) override;
  void handle(Time now, const FromPeer& event) override;
  void handle(Time now, const PeerClosed& closed) override;
  void handle(Time now, const WriteDrained& event) override;
  void handle(Time now, const WriteFailed& event) override;

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override;
  void finish(Side to, bool truncated) override;
  void close(Side side, bool reset) override;
  void pause_reading(Side from) override;
  void resume_reading(Side from) override;
  bool holds(Side to) override;

 private:
  /// One of the two connections.
  struct Leg {
    std::unique_ptr<TlsChannel> channel;  // nullptr: in the clear, or not yet in TLS
    std::vector<std::uint8_t> pending;    // plain octets that wait for the handshake
    Time began;                           // the handshake
    bool will_turn = false;               // TLS comes, so what is sent waits
    bool told = false;                    // the observer knows what became of the handshake
    bool raw_waiting = false;             // the kernel has not taken everything
    bool paused_by_relay = false;         // it is not read from, for the other side's sake
    bool paused_here = false;             // it is not read from, as it does not read what TLS says
    bool finish_wanted = false;           // FIN goes behind that
    bool truncated = false;               // and no close_notify before it
    bool input_over = false;              // close_notify, or an end, was handed on
    bool closed = false;
  };

  // What the watch has found.
  void pass_on(Side from, std::span<const std::uint8_t> octets,
               std::optional<std::span<const std::uint8_t>> instead) override;
  void keep_back(Side from, std::span<const std::uint8_t> octets) override;
  void answer_client(std::string_view reply) override;
  void on_granted() override;

  Leg& leg(Side side) { return legs_[index(side)]; }
  /// The relay has ended the session.
  bool over() const { return legs_[0].closed && legs_[1].closed; }
  bool open(Side side) const;
  bool shaking_hands(Side side) const;
  void read_on(Side side);
  void end_input(PeerClosed closed);
  Sent send_raw(Side to, std::span<const std::uint8_t> octets);
  void flush(Side side);
  void pump(Side side);
  bool pump_plain(Side side);
  void begin_client(Time now);
  void begin_server_if_due();
  void answer_client_if_due();
  void converse(std::span<const std::uint8_t> octets);
  void on_opened(Side side);
  void on_failed(Side side);
  void tell_handshake(Side side, std::optional<std::string> failure = {});
  void tell_alerts(Side side);
  void break_off(std::string_view reason, bool tell_client);
  template <typename Body>
  void record(const Body& body) {
    if (observer_ != nullptr && !over()) observer_->feed(WireEvent{session_, now_, body});
  }
  void record_aside(Side from, std::string_view text);
  template <typename Event>
  void tell_relay(const Event& event) {
    if (!over()) inner().handle(now_, event);
  }

  const SessionId session_;
  TlsService& service_;
  const std::string server_name_;
  SessionObserver* const observer_;
  std::array<Leg, 2> legs_;
  std::unique_ptr<StarttlsWatch> watch_;
  std::unique_ptr<UpstreamDialogue> dialogue_;
  Time now_;                        // of the event being worked on
  Duration waited_{};               // of the client for the server's handshake
  Time hello_at_;                   // when the ClientHello was there
  bool client_speaks_tls_ = false;  // or will
  bool connected_ = false;
  bool dialogue_due_ = false;  // once connected
  bool broken_off_ = false;    // a handshake failed: what still comes is nothing to anybody
};

}  // namespace smtpscope
