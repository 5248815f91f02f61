#include <fmt/format.h>

#include <utility>

#include "base/octets.h"
#include "proxy/tls/interception.h"
#include "proxy/tls/tls_facts.h"

// The handshakes of an interception: when each begins, what becomes of it, and what that means for
// the session.

namespace smtpscope {
namespace {

/// RFC 8446 6.2; for a failure that no alert describes.
constexpr std::uint8_t kHandshakeFailure = 40;

/// RFC 3463 X.7.4: security features not supported; the client may try again later.
constexpr std::string_view kNoTls =
    "421 4.7.4 smtpscope: no TLS with the mail server behind this tracing proxy\r\n";

}  // namespace

void Interception::begin_client(Time now) {
  Leg& client = leg(Side::kClient);
  watch_.reset();
  client.channel = service_.to_client();
  client.began = now;
}

/// The server is spoken to as soon as it is there, has granted STARTTLS, and it is known what a
/// client in TLS asks for.
void Interception::begin_server_if_due() {
  Leg& server = leg(Side::kServer);
  if (!server.will_turn || server.channel || server.told || !connected_ || server.closed) return;
  if (dialogue_ && dialogue_->stage() != UpstreamDialogue::Stage::kGranted) return;
  const TlsChannel* client = leg(Side::kClient).channel.get();
  if (client_speaks_tls_ && (client == nullptr || client->stage() != TlsChannel::Stage::kHello)) {
    return;
  }
  server.began = now_;
  server.channel =
      service_.to_server(client_speaks_tls_ ? &client->hello() : nullptr, server_name_);
  server.channel->start();
  flush(Side::kServer);
  pump(Side::kServer);
}

void Interception::answer_client_if_due() {
  Leg& client = leg(Side::kClient);
  if (!client.channel || client.channel->stage() != TlsChannel::Stage::kHello) return;
  const Leg& server = leg(Side::kServer);
  if (server.will_turn && !open(Side::kServer)) return;
  waited_ = now_ - hello_at_;
  client.channel->answer(
      service_.answer(client.channel->hello(), server.channel.get(), server_name_));
  pump(Side::kClient);
}

void Interception::on_opened(Side side) {
  Leg& self = leg(side);
  tell_handshake(side);
  self.told = true;
  const std::vector<std::uint8_t> pending = std::exchange(self.pending, {});
  Sent sent{0, false};
  if (!pending.empty() && !self.closed) sent = send_to(side, pending);
  const bool finish_due = !sent.failed && std::exchange(self.finish_wanted, false);
  if (finish_due && !self.closed) finish(side, self.truncated);
  // Behind the FIN: the relay may have a reset that waits for both.
  if (sent.failed) {
    tell_relay(WriteFailed{side});
  } else if ((!pending.empty() || finish_due) && !self.raw_waiting) {
    tell_relay(WriteDrained{side});
  }
  if (side == Side::kServer && !over()) answer_client_if_due();
}

void Interception::on_failed(Side side) {
  Leg& self = leg(side);
  flush(side);
  tell_handshake(side);
  self.told = true;
  self.pending.clear();
  TlsFacts facts;
  self.channel->describe(facts);
  const std::string why =
      fmt::format("the TLS handshake with the {} failed: {}", to_string(side), facts.failure);
  bool tell_client = side == Side::kServer;
  Leg& client = leg(Side::kClient);
  if (side == Side::kServer && client.channel && !client.told) {
    tell_client = false;
    if (client.channel->stage() == TlsChannel::Stage::kHello) {
      // What the server said goes to the client, who would have got it without us.
      const bool servers = facts.alert && self.channel->failed_by_peer();
      client.channel->refuse(servers ? *facts.alert : kHandshakeFailure, why);
      flush(Side::kClient);
    }
    tell_handshake(Side::kClient, why);
    client.told = true;
  }
  Leg& server = leg(Side::kServer);
  if (side == Side::kClient && server.channel && !server.told) {
    tell_handshake(Side::kServer, "the server did not answer before the client gave up");
    server.told = true;
    server.pending.clear();
  }
  break_off(why, tell_client);
}

void Interception::break_off(std::string_view reason, bool tell_client) {
  broken_off_ = true;
  tell_relay(LayerFailed{reason, tell_client ? kNoTls : std::string_view()});
}

void Interception::tell_handshake(Side side, std::optional<std::string> failure) {
  const Leg& self = leg(side);
  auto facts = std::make_shared<TlsFacts>();
  self.channel->describe(*facts);
  self.channel->take_alerts();
  if (failure) facts->failure = std::move(*failure);
  if (!facts->completed && self.channel->failed_by_peer()) facts->failed_by = side;
  if (side == Side::kClient) {
    facts->origin = service_.origin();
    facts->waited = waited_;
    const TlsChannel* server = leg(Side::kServer).channel.get();
    if (server != nullptr && facts->completed) {
      TlsFacts there;
      server->describe(there);
      facts->differences = tls_differences(*facts, there);
    }
  }
  record(TlsHandshake{side, now_ - self.began, facts});
}

/// The server's part before STARTTLS.
void Interception::converse(std::span<const std::uint8_t> octets) {
  while (!octets.empty() && !dialogue_->over() && !over()) {
    const auto part = octets.first(dialogue_->receive(octets));
    octets = octets.subspan(part.size());
    if (dialogue_->in_greeting()) {
      if (watch_) {
        watch_->receive(Side::kServer, part);
      } else {
        tell_relay(FromPeer{Side::kServer, part});
      }
      if (over()) return;
    } else if (dialogue_->has_reply() || dialogue_->over()) {
      record_aside(Side::kServer, dialogue_->reply());
    }
    if (!dialogue_->say().empty()) {
      const std::string said = dialogue_->say();
      send_raw(Side::kServer, octets_of(said));
      record_aside(Side::kClient, said);
    }
  }
  if (over()) return;
  using Stage = UpstreamDialogue::Stage;
  if (dialogue_->stage() == Stage::kGranted) {
    if (!octets.empty()) keep_back(Side::kServer, octets);
    begin_server_if_due();
  } else if (dialogue_->stage() == Stage::kRefused) {
    Leg& server = leg(Side::kServer);
    server.told = true;
    server.pending.clear();
    auto facts = std::make_shared<TlsFacts>();
    facts->failure = dialogue_->failure();
    facts->failed_by = Side::kServer;
    record(TlsHandshake{Side::kServer, Duration::zero(), facts});
    break_off(facts->failure, !client_speaks_tls_ || open(Side::kClient));
  } else if (dialogue_->stage() == Stage::kNone) {
    // The server turned the client away; what it may still say is in the clear.
    leg(Side::kServer).will_turn = false;
    if (!octets.empty()) tell_relay(FromPeer{Side::kServer, octets});
    answer_client_if_due();
  }
}

}  // namespace smtpscope
