#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "parser/conversation.h"

namespace smtpscope {

/// An SMTP server's side of one session: accepts every message and discards it (RFC 5321, with
/// PIPELINING, SIZE, 8BITMIME, SMTPUTF8, CHUNKING and ENHANCEDSTATUSCODES). Strict about the order
/// of commands and their syntax, so that a client meets the errors it would meet elsewhere.
/// Sans-I/O: client octets in, reply octets out. Reads with the same Conversation that traces
/// sessions. Not thread-safe.
class SinkSession {
 public:
  /// Longest command line answered (with its CRLF): the base 512 of RFC 5321 4.5.3.1.4 and the
  /// raises of the extensions offered (1870: 26, 6152: 17, 6531: 10), generously rounded.
  static constexpr std::size_t kMaxLine = 2048;

  SinkSession() = default;

  /// The greeting; once, before all else.
  void begin(std::string& replies);
  /// Appends to `replies` what is to be sent for `octets`.
  void receive(std::span<const std::uint8_t> octets, std::string& replies);

  /// QUIT was answered, or what the client speaks is not SMTP: close.
  bool is_over() const { return over_; }
  std::uint64_t messages() const { return messages_; }

 private:
  enum class Chunks : std::uint8_t { kNone, kOpen, kFailed };

  void drain();
  void hand_over(std::string& replies);
  void handle(const Item& item, std::uint64_t octets);
  void answer(const Command& command);
  void answer(const MailData& data);
  void answer(const Chunk& chunk);
  void answer_hello(const Command& command);
  void answer_mail(const Command& command);
  void answer_rcpt(const Command& command);
  void answer_data(const Command& command);
  void answer_bdat(const Command& command);
  void accept_message(std::uint64_t octets);
  void reset_transaction();
  void reply(std::string_view line);

  Conversation conversation_;
  std::string unsent_;    // replies not yet shown to the conversation
  bool greeted_ = false;  // HELO or EHLO
  bool mail_ = false;
  std::uint64_t recipients_ = 0;
  Chunks chunks_ = Chunks::kNone;
  bool over_ = false;
  std::uint64_t messages_ = 0;
};

}  // namespace smtpscope
