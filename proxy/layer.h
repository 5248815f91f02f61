#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/close_kind.h"
#include "base/side.h"
#include "base/time.h"

namespace smtpscope {

// A session is a stack: the sockets of its two sides at the one end, the relay at the other, and
// between them the layers it was configured with, such as TLS. What happens goes inwards, from the
// sockets to the relay; what is to be done goes outwards.

// Events: what happened. Views are valid during the call.

/// Octets of a peer.
struct FromPeer {
  Side from = Side::kClient;
  std::span<const std::uint8_t> octets;
  bool tls = false;  // they came inside TLS
  /// What the other side gets in their place.
  std::optional<std::span<const std::uint8_t>> instead = {};
  std::string_view scenario = {};  // see Bytes
};

/// A peer has closed its direction (kFin), or the connection to it is gone (all others; may come
/// behind kFin).
struct PeerClosed {
  Side side = Side::kClient;
  CloseKind kind = CloseKind::kFin;
  std::string_view reason;  // in words, where there is something to say
  /// kFin: inside TLS, and no close_notify came before it, so what was said may be cut short
  /// (RFC 8446 6.1).
  bool truncated = false;
  bool by_proxy = false;  // no peer did it: a scenario wants it to look so
};

/// The connection to the server stands.
struct UpstreamReady {
  std::string_view server;
  Duration took{};
  std::uint32_t failed_attempts = 0;
  std::optional<Duration> rtt = {};
};

/// No address of the server could be reached.
struct UpstreamUnreachable {
  std::string_view reason;
};

/// All octets that waited for `to` are with the kernel now.
struct WriteDrained {
  Side to = Side::kServer;
};

/// A write to `to` that had been waiting failed; what waited is lost.
struct WriteFailed {
  Side to = Side::kServer;
};

/// A layer answers the client itself, in the server's place.
struct ProxyReply {
  std::span<const std::uint8_t> octets;
  std::string_view scenario = {};  // see Bytes
};

/// The moment asked for with Outward::set_alarm has come, or nearly so.
struct AlarmRang {};

/// A layer cannot do its part, such as agree on TLS with a side: the session ends.
struct LayerFailed {
  std::string_view reason;
  std::string_view refusal;  // a reply for the client; "": it cannot be told in SMTP
};

/// Takes what happens: the relay, or the layer next to it on the way there.
class Inward {
 public:
  virtual ~Inward() = default;
  virtual void handle(Time now, const FromPeer& event) = 0;
  virtual void handle(Time now, const PeerClosed& event) = 0;
  virtual void handle(Time now, const UpstreamReady& event) = 0;
  virtual void handle(Time now, const UpstreamUnreachable& event) = 0;
  virtual void handle(Time now, const WriteDrained& event) = 0;
  virtual void handle(Time now, const WriteFailed& event) = 0;
  virtual void handle(Time now, const ProxyReply& event) = 0;
  virtual void handle(Time now, const LayerFailed& event) = 0;
  virtual void handle(Time now, const AlarmRang& event) = 0;
};

/// Does what is to be done: the sockets, or the layer next to them on the way there. Called from
/// within Inward::handle; must not call back.
class Outward {
 public:
  /// What became of octets that were to be sent.
  struct Sent {
    std::size_t waiting = 0;  // octets the kernel did not take: queued, WriteDrained will follow
    bool failed = false;      // the connection is broken, nothing was queued
  };

  virtual ~Outward() = default;
  /// Before UpstreamReady, octets for the server are queued.
  virtual Sent send_to(Side to, std::span<const std::uint8_t> octets) = 0;
  /// Half-close: FIN behind all that was sent. `truncated`: where there is TLS, without the
  /// close_notify that belongs before it.
  virtual void finish(Side to, bool truncated) = 0;
  /// Gives the connection (or the attempt to make one) up, with an RST if `reset`, behind all that
  /// was sent. Nothing more is heard of the side. A session is over once both are closed; a server
  /// that cannot be reached counts as closed.
  virtual void close(Side side, bool reset) = 0;
  virtual void pause_reading(Side from) = 0;
  virtual void resume_reading(Side from) = 0;
  /// Whether the kernel knows that the connection to a peer which has sent its FIN is broken.
  virtual bool is_broken(Side side) = 0;
  /// Whether octets or a FIN for `to` wait in a layer that were not counted as waiting, since their
  /// sender is not to be held up for them. WriteDrained follows once they are out.
  virtual bool holds(Side to) = 0;
  /// How smtpscope calls itself towards the server (an address literal, RFC 5321 4.1.3).
  virtual std::string own_name() = 0;
  /// AlarmRang comes then; replaces what was asked for before. One layer of a session may ask.
  virtual void set_alarm(Time /*when*/) {}
};

/// What may stand between the sockets and the relay. Passes everything on as it is; a kind of layer
/// overrides what it changes. Sans-I/O. Not thread-safe.
class Layer : public Inward, public Outward {
 public:
  /// Both must outlive the layer. Once, before all else.
  void join(Inward& inner, Outward& outer) {
    inner_ = &inner;
    outer_ = &outer;
  }

  void handle(Time now, const FromPeer& event) override { inner_->handle(now, event); }
  void handle(Time now, const PeerClosed& event) override { inner_->handle(now, event); }
  void handle(Time now, const UpstreamReady& event) override { inner_->handle(now, event); }
  void handle(Time now, const UpstreamUnreachable& event) override { inner_->handle(now, event); }
  void handle(Time now, const WriteDrained& event) override { inner_->handle(now, event); }
  void handle(Time now, const WriteFailed& event) override { inner_->handle(now, event); }
  void handle(Time now, const ProxyReply& event) override { inner_->handle(now, event); }
  void handle(Time now, const LayerFailed& event) override { inner_->handle(now, event); }
  void handle(Time now, const AlarmRang& event) override { inner_->handle(now, event); }

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override {
    return outer_->send_to(to, octets);
  }
  void finish(Side to, bool truncated) override { outer_->finish(to, truncated); }
  void close(Side side, bool reset) override { outer_->close(side, reset); }
  void pause_reading(Side from) override { outer_->pause_reading(from); }
  void resume_reading(Side from) override { outer_->resume_reading(from); }
  bool is_broken(Side side) override { return outer_->is_broken(side); }
  bool holds(Side to) override { return outer_->holds(to); }
  std::string own_name() override { return outer_->own_name(); }
  void set_alarm(Time when) override { outer_->set_alarm(when); }

 protected:
  Inward& inner() { return *inner_; }
  Outward& outer() { return *outer_; }

 private:
  Inward* inner_ = nullptr;
  Outward* outer_ = nullptr;
};

/// The layers of one session, that next to the sockets first. Empty for octets relayed untouched.
class LayerStack {
 public:
  LayerStack() = default;
  explicit LayerStack(std::vector<std::unique_ptr<Layer>> layers) : layers_(std::move(layers)) {}

  /// Whom the relay speaks to, with `sockets` at the other end.
  Outward& innermost(Outward& sockets) const {
    return layers_.empty() ? sockets : static_cast<Outward&>(*layers_.back());
  }
  /// Joins all; returns whom the sockets speak to.
  Inward& join(Inward& relay, Outward& sockets) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      Inward& inner = i + 1 < layers_.size() ? static_cast<Inward&>(*layers_[i + 1]) : relay;
      Outward& outer = i > 0 ? static_cast<Outward&>(*layers_[i - 1]) : sockets;
      layers_[i]->join(inner, outer);
    }
    return layers_.empty() ? relay : static_cast<Inward&>(*layers_.front());
  }

 private:
  std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace smtpscope
