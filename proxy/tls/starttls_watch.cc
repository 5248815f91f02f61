#include "proxy/tls/starttls_watch.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/octets.h"
#include "proxy/tls/hello_rewriting.h"

namespace smtpscope {
namespace {

// RFC 5321 4.2.4: a command that is recognised but not implemented.
constexpr std::string_view kStarttlsRefusal =
    "502 5.5.1 smtpscope hides STARTTLS here, and the server was not asked\r\n";

bool is_starttls(Verb verb) { return verb == Verb::kStartTls || verb == Verb::kXanonymousTls; }
bool is_hello(Verb verb) { return verb == Verb::kEhlo || verb == Verb::kLhlo; }

/// The beginning of a line that may yet become STARTTLS.
bool may_become_starttls(std::string_view line) {
  constexpr std::string_view kVerb = "STARTTLS";
  const std::size_t size = std::min(line.size(), kVerb.size());
  return size > 0 && equal_ignoring_case(line.substr(0, size), kVerb.substr(0, size));
}

}  // namespace

void StarttlsWatch::receive(Side from, std::span<const std::uint8_t> octets) {
  if (from == Side::kClient) {
    from_client(octets);
  } else {
    from_server(octets);
  }
}

void StarttlsWatch::drain() {
  while (const Item* item = conversation_.next()) {
    if (const auto* command = std::get_if<Command>(&item->body)) {
      if (command->exchange == kNoExchange) continue;
      if (is_hello(command->verb)) ++hellos_owed_;
      if (is_starttls(command->verb) && !command_begin_) {
        command_begin_ = item->begin;
        command_end_ = item->end;
      }
    } else if (const auto* reply = std::get_if<Reply>(&item->body)) {
      on_reply(*item, *reply);
    } else if (item->side == Side::kServer && way_ == Way::kHide && item->end > server_done_) {
      server_out_ += text_of(server_held_)
                         .substr(static_cast<std::size_t>(server_done_ - server_base_),
                                 static_cast<std::size_t>(item->end - server_done_));
      server_done_ = item->end;
    }
  }
}

void StarttlsWatch::on_reply(const Item& item, const Reply& reply) {
  const bool answers = reply.answers == Answers::kCommand && reply.exchange != kNoExchange;
  if (answers && is_starttls(reply.verb)) {
    if (reply.code == 220) granted_at_ = item.end;
    command_begin_.reset();
  }
  if (answers && is_hello(reply.verb) && hellos_owed_ > 0) --hellos_owed_;
  if (way_ != Way::kHide || item.end <= server_done_) return;
  const std::string_view octets = text_of(server_held_)
                                      .substr(static_cast<std::size_t>(server_done_ - server_base_),
                                              static_cast<std::size_t>(item.end - server_done_));
  // Of one that was too long for waiting a part has gone already.
  const bool whole = item.begin >= server_done_;
  const bool offer = whole && answers && is_hello(reply.verb) && reply.code == 250;
  server_out_ += offer ? without_starttls(octets) : std::string(octets);
  server_done_ = item.end;
}

/// Up to where the client's octets may go on.
std::uint64_t StarttlsWatch::client_limit(bool ended) const {
  if (command_begin_) return way_ == Way::kHide ? *command_begin_ : command_end_;
  const std::uint64_t received = conversation_.received(Side::kClient);
  if (way_ != Way::kHide || ended) return received;
  const std::uint64_t line = conversation_.itemised(Side::kClient);
  const bool in_line = conversation_.phase() == Conversation::Phase::kCommands && line < received &&
                       line >= client_base_;
  if (!in_line) return received;
  const std::string_view begun =
      text_of(client_held_).substr(static_cast<std::size_t>(line - client_base_));
  return may_become_starttls(begun) ? line : received;
}

void StarttlsWatch::from_client(std::span<const std::uint8_t> octets) {
  if (client_held_.size() > kMostHeld) {
    events_.keep_back(Side::kClient, octets);
    return;
  }
  conversation_.receive(Side::kClient, octets);
  drain();
  if (way_ == Way::kTurn && client_held_.empty() && !command_begin_) {
    client_base_ = conversation_.received(Side::kClient);
    events_.pass_on(Side::kClient, octets, std::nullopt);
    return;
  }
  client_held_.insert(client_held_.end(), octets.begin(), octets.end());
  let_client_go(false);
  answer_if_due();
}

void StarttlsWatch::let_client_go(bool ended) {
  while (true) {
    const std::uint64_t limit = client_limit(ended);
    if (limit > client_base_) {
      const auto size = static_cast<std::ptrdiff_t>(limit - client_base_);
      const std::vector<std::uint8_t> gone(client_held_.begin(), client_held_.begin() + size);
      client_held_.erase(client_held_.begin(), client_held_.begin() + size);
      client_base_ = limit;
      events_.pass_on(Side::kClient, gone, std::nullopt);
    }
    if (way_ != Way::kHide || !command_begin_ || *command_begin_ != client_base_) return;
    // STARTTLS itself: told, and not handed on.
    const auto size = static_cast<std::ptrdiff_t>(command_end_ - client_base_);
    const std::vector<std::uint8_t> command(client_held_.begin(), client_held_.begin() + size);
    client_held_.erase(client_held_.begin(), client_held_.begin() + size);
    client_base_ = command_begin_.emplace(command_end_);
    events_.pass_on(Side::kClient, command, std::span<const std::uint8_t>());
    return;
  }
}

/// The client gets its replies in the order of its commands.
void StarttlsWatch::answer_if_due() {
  while (way_ == Way::kHide && command_begin_ && client_base_ == command_end_ &&
         conversation_.owed() == 1 && server_held_.empty()) {
    events_.answer_client(kStarttlsRefusal);
    server_done_ = server_base_ = conversation_.received(Side::kServer) + kStarttlsRefusal.size();
    conversation_.receive(Side::kServer, octets_of(kStarttlsRefusal));
    drain();
    let_client_go(false);
  }
}

/// What waits of the server's octets goes on as it is, to be taken from `server_out_`.
void StarttlsWatch::let_server_go() {
  server_out_ +=
      text_of(server_held_).substr(static_cast<std::size_t>(server_done_ - server_base_));
  server_done_ = server_base_ + server_held_.size();
}

/// What the client is to be given; the octets that it was made of are let go.
std::string StarttlsWatch::take_server_out() {
  server_held_.erase(server_held_.begin(), server_held_.begin() + static_cast<std::ptrdiff_t>(
                                                                      server_done_ - server_base_));
  server_base_ = server_done_;
  return std::exchange(server_out_, {});
}

void StarttlsWatch::from_server(std::span<const std::uint8_t> octets) {
  const std::uint64_t begin = conversation_.received(Side::kServer);
  if (way_ == Way::kHide) {
    const bool waited = !server_held_.empty();
    if (!waited) server_base_ = server_done_ = begin;
    server_held_.insert(server_held_.end(), octets.begin(), octets.end());
    conversation_.receive(Side::kServer, octets);
    drain();
    // Only a reply to EHLO has to be whole; of all others each piece goes at once.
    if (hellos_owed_ == 0 || server_held_.size() > kMostHeld) let_server_go();
    const std::string out = take_server_out();
    if (!waited && out == text_of(octets)) {
      events_.pass_on(Side::kServer, octets, std::nullopt);
    } else {
      events_.pass_on(Side::kServer, octets, octets_of(out));
    }
    let_client_go(false);
    answer_if_due();
    return;
  }

  conversation_.receive(Side::kServer, octets);
  drain();
  if (!granted_at_) {
    // What waited behind a STARTTLS that was refused.
    let_client_go(false);
    events_.pass_on(Side::kServer, octets, std::nullopt);
    return;
  }
  if (!client_held_.empty()) events_.keep_back(Side::kClient, std::exchange(client_held_, {}));
  const auto reply = static_cast<std::size_t>(*granted_at_ - begin);
  events_.pass_on(Side::kServer, octets.first(reply), std::nullopt);
  if (reply < octets.size()) events_.keep_back(Side::kServer, octets.subspan(reply));
  events_.on_granted();
}

void StarttlsWatch::end_of(Side side) {
  if (side == Side::kServer) {
    if (server_held_.empty()) return;
    let_server_go();
    const std::string out = take_server_out();
    events_.pass_on(Side::kServer, {}, octets_of(out));
    return;
  }
  if (client_held_.empty()) return;
  const bool refused_for_server = way_ == Way::kHide && command_begin_.has_value();
  if (command_begin_ && !refused_for_server) {
    events_.keep_back(Side::kClient, std::exchange(client_held_, {}));
    return;
  }
  let_client_go(true);
}

}  // namespace smtpscope
