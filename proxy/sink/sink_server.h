#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "net/connection.h"
#include "net/listener.h"
#include "net/loop.h"
#include "proxy/local_server.h"
#include "proxy/sink/sink_session.h"

namespace smtpscope {

/// The built-in upstream: SinkSessions, so that the tool runs where there is no mail server.
class SinkServer : public LocalServer, private ListenerEvents {
 public:
  static Result<std::unique_ptr<SinkServer>> make(Loop& loop);
  ~SinkServer() override;
  SinkServer(const SinkServer&) = delete;
  SinkServer& operator=(const SinkServer&) = delete;

  const SocketAddress& address() const override { return listener_->address(); }
  std::uint64_t messages() const override;

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
