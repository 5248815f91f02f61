#pragma once

#include <span>
#include <string>
#include <utility>

#include "capture/wire_event.h"
#include "proxy/layer.h"
#include "proxy/relay_observer.h"

namespace smtpscope {

/// The layer that tells the server who the client is, by a header of the PROXY protocol before all
/// else, TLS included; so it stands next to the sockets. The header is no part of the dialogue, and
/// is recorded as said between smtpscope and the server. Sans-I/O. Not thread-safe.
class ProxyAnnouncement : public Layer {
 public:
  /// `observer` may be nullptr, and must outlive it else.
  ProxyAnnouncement(SessionId session, std::string header, SessionObserver* observer)
      : session_(session), header_(std::move(header)), observer_(observer) {}

  using Layer::handle;
  void handle(Time now, const UpstreamReady& ready) override;
  Sent send_to(Side to, std::span<const std::uint8_t> octets) override;
  void close(Side side, bool reset) override;

 private:
  void announce();

  const SessionId session_;
  const std::string header_;
  SessionObserver* const observer_;
  bool announced_ = false;
  bool given_up_ = false;  // the session, or the server's part in it, is over
};

}  // namespace smtpscope
