#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/side.h"
#include "parser/conversation.h"

namespace smtpscope {

/// Told what is to become of octets that a StarttlsWatch has looked at.
class StarttlsWatchEvents {
 public:
  virtual ~StarttlsWatchEvents() = default;
  /// To the other side; or `instead` in their place, maybe nothing.
  virtual void pass_on(Side from, std::span<const std::uint8_t> octets,
                       std::optional<std::span<const std::uint8_t>> instead) = 0;
  /// To nobody, ever.
  virtual void keep_back(Side from, std::span<const std::uint8_t> octets) = 0;
  /// smtpscope itself answers the client.
  virtual void answer_client(std::string_view reply) = 0;
  /// STARTTLS was granted and the client knows: TLS begins on both sides.
  virtual void on_granted() = 0;
};

/// Reads a session in the clear to find the moment when it turns to TLS: the 220 to STARTTLS, as
/// the parser understands both sides, and nothing else. What stands behind STARTTLS waits for the
/// reply, and is handed on when that is no 220 and kept back when it is (RFC 3207 4.2); so is what
/// stands behind the 220. Or it hides STARTTLS: takes it out of replies to EHLO, which then wait
/// until they are whole, and refuses it for the server. Sans-I/O. Not thread-safe.
class StarttlsWatch {
 public:
  enum class Way : std::uint8_t { kTurn, kHide };

  /// Octets that wait. What the client sends beyond is kept back; a reply to EHLO that is longer
  /// goes on as it is.
  static constexpr std::size_t kMostHeld = std::size_t{64} * 1024;

  /// `events` must outlive it. The watch may be destroyed from within on_granted().
  StarttlsWatch(Way way, StarttlsWatchEvents& events) : way_(way), events_(events) {}

  void receive(Side from, std::span<const std::uint8_t> octets);
  /// The side will say nothing more.
  void end_of(Side side);

 private:
  void from_client(std::span<const std::uint8_t> octets);
  void from_server(std::span<const std::uint8_t> octets);
  void drain();
  void on_reply(const Item& item, const Reply& reply);
  void let_client_go(bool ended);
  void let_server_go();
  std::string take_server_out();
  void answer_if_due();
  std::uint64_t client_limit(bool ended) const;

  const Way way_;
  StarttlsWatchEvents& events_;
  Conversation conversation_;
  std::vector<std::uint8_t> client_held_;       // not handed on yet
  std::uint64_t client_base_ = 0;               // stream offset of the first of them
  std::optional<std::uint64_t> command_begin_;  // STARTTLS that waits for its reply
  std::uint64_t command_end_ = 0;
  std::optional<std::uint64_t> granted_at_;  // stream offset behind the 220
  // kHide: the server's octets that wait for the rest of a reply.
  std::vector<std::uint8_t> server_held_;
  std::uint64_t server_base_ = 0;
  std::string server_out_;  // what has become of those in whole items
  std::uint64_t server_done_ = 0;
  std::uint32_t hellos_owed_ = 0;
};

}  // namespace smtpscope
