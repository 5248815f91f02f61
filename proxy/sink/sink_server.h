#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "net/connection.h"
#include "net/listener.h"
#include "net/loop.h"
#include "proxy/sink/sink_session.h"

namespace smtpscope {

/// The built-in upstream: SinkSessions on a free port of the loopback, in the proxy's own loop, so
/// that the tool runs where there is no mail server. Closes its sessions when destroyed.
class SinkServer : private ListenerEvents {
 public:
  static Result<std::unique_ptr<SinkServer>> make(Loop& loop);
  ~SinkServer() override;
  SinkServer(const SinkServer&) = delete;
  SinkServer& operator=(const SinkServer&) = delete;

  const SocketAddress& address() const { return listener_->address(); }
  /// Accepted and discarded so far.
  std::uint64_t messages() const;

 private:
  class Client;

  SinkServer() = default;

  void on_client_waiting(Listener& listener) override;
  void drop(Client& client);

  ListenerPtr listener_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t messages_ = 0;  // of clients that have gone
};

}  // namespace smtpscope
