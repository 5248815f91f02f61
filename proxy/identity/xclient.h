#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/wire_event.h"
#include "proxy/identity/proxy_header.h"
#include "proxy/layer.h"
#include "proxy/relay_observer.h"
#include "proxy/server_reply.h"

namespace smtpscope {

/// The command that tells a server whom its client speaks for (https://www.postfix.org/
/// XCLIENT_README.html), with those of the attributes that its reply to EHLO offers. "": it offers
/// no XCLIENT, or not the client's address with it.
std::string xclient_command(std::string_view ehlo_reply, const ConnectionEnds& ends);

/// The layer that tells the server who the client is by XCLIENT, before the client's first command:
/// greeting, EHLO, XCLIENT, and then the new greeting, which is the one that the client gets. It
/// stands inside of TLS. A server that does not take XCLIENT would judge every client by
/// smtpscope's own address, so the session ends there. The dialogue is recorded as said between
/// smtpscope and the server. Sans-I/O. Not thread-safe.
class XclientAnnouncement : public Layer {
 public:
  /// `observer` may be nullptr, and must outlive it else.
  XclientAnnouncement(SessionId session, const ConnectionEnds& ends, SessionObserver* observer)
      : session_(session), ends_(ends), observer_(observer) {}

  using Layer::handle;
  void handle(Time now, const FromPeer& event) override;
  void handle(Time now, const PeerClosed& event) override;
  void handle(Time now, const UpstreamUnreachable& event) override;
  void handle(Time now, const WriteDrained& event) override;
  void handle(Time now, const WriteFailed& event) override;

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override;
  void finish(Side to, bool truncated) override;
  void close(Side side, bool reset) override;

 private:
  enum class Stage : std::uint8_t { kGreeting, kHello, kXclient, kOver };

  void on_reply(Time now, bool tls);
  void say(Time now, std::string_view command);
  void hand_reply_on(Time now, bool tls);
  void conclude(Time now);
  void give_up(Time now, std::string_view why);
  void record(Time now, Side from, std::string_view text);

  const SessionId session_;
  const ConnectionEnds ends_;
  SessionObserver* const observer_;
  Stage stage_ = Stage::kGreeting;
  ServerReply reply_;
  std::vector<std::uint8_t> held_;  // of the client, until the server knows who it is
  bool finish_due_ = false;         // behind them
  bool truncated_ = false;
  bool broken_off_ = false;  // what still comes is nothing to anybody
  bool given_up_ = false;    // the session, or the server's part in it, is over
};

}  // namespace smtpscope
