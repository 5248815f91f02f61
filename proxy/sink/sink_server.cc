#include "proxy/sink/sink_server.h"

#include <string>
#include <utility>

#include "base/octets.h"

namespace smtpscope {

/// One connection to the sink.
class SinkServer::Client : private ConnectionEvents {
 public:
  Client(SinkServer& server, ConnectionPtr connection)
      : server_(server), connection_(std::move(connection)) {
    connection_->set_events(this);
  }

  /// May destroy the client, as may all events.
  void start() {
    connection_->start_reading();
    std::string replies;
    session_.begin(replies);
    send(replies);
  }
  std::uint64_t messages() const { return session_.messages(); }

  std::size_t slot = 0;  // in clients_

 private:
  void send(const std::string& replies) {
    Connection::Sent sent;
    if (!replies.empty()) {
      sent = connection_->send(octets_of(replies));
    }
    if (sent.failed || (sent.waiting == 0 && session_.is_over())) {
      server_.drop(*this);
    } else if (sent.waiting > 0) {
      connection_->stop_reading();  // who does not read replies is not asked for more commands
    }
  }

  void on_read(Connection&, Time, std::span<const std::uint8_t> octets) override {
    std::string replies;
    session_.receive(octets, replies);
    send(replies);
  }
  void on_closed(Connection&, CloseKind, std::string_view) override { server_.drop(*this); }
  void on_drained(Connection&) override {
    if (session_.is_over()) {
      server_.drop(*this);
    } else {
      connection_->start_reading();
    }
  }
  void on_write_failed(Connection&) override { server_.drop(*this); }

  SinkServer& server_;
  ConnectionPtr connection_;
  SinkSession session_;
};

Result<std::unique_ptr<SinkServer>> SinkServer::make(Loop& loop) {
  std::unique_ptr<SinkServer> server(new SinkServer);
  auto listener = Listener::make(loop, *SocketAddress::from_numeric("127.0.0.1", 0), *server);
  if (!listener) return listener.error();
  server->listener_ = std::move(listener.value());
  return server;
}

SinkServer::~SinkServer() = default;

std::uint64_t SinkServer::messages() const {
  std::uint64_t messages = messages_;
  for (const auto& client : clients_) messages += client->messages();
  return messages;
}

void SinkServer::on_client_waiting(Listener& listener) {
  clients_.push_back(std::make_unique<Client>(*this, listener.accept().connection));
  Client& client = *clients_.back();
  client.slot = clients_.size() - 1;
  client.start();
}

void SinkServer::drop(Client& client) {
  messages_ += client.messages();
  const std::size_t slot = client.slot;
  std::swap(clients_[slot], clients_.back());
  clients_[slot]->slot = slot;
  clients_.pop_back();
}

}  // namespace smtpscope
