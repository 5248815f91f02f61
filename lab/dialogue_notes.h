#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/side.h"
#include "base/time.h"
#include "parser/conversation.h"

namespace smtpscope {

/// What one dialogue came to, as one of its ends has it: what was taken, what was refused, what is
/// still awaited. Fed with the octets that this end sent and got. A session under a scenario has
/// two of them, for its ends hear different things. Bounded. Not thread-safe.
class DialogueNotes {
 public:
  /// A message whose end was sent.
  struct Message {
    std::string sender;                   // "" is the null reverse-path
    std::vector<std::string> recipients;  // for whom it was taken; none: it was not
    std::uint16_t reply = 0;              // to its end; 0: none came
    Exchange exchange = kNoExchange;      // of its end
    Time sent;                            // its end
  };
  /// A command, or an end of data, that a reply says no to.
  struct Refusal {
    Answers answers = Answers::kCommand;
    Verb verb = Verb::kUnknown;
    std::uint16_t code = 0;

    bool for_good() const { return code >= 500; }
    /// About this mail, or about the client; not about an extension that it could do without.
    bool of_mail() const;
    /// "452 to RCPT", "554 as greeting".
    std::string words() const;
  };
  /// A reply that has not come.
  struct Awaited {
    Exchange exchange = 0;
    Answers answers = Answers::kCommand;
    Verb verb = Verb::kUnknown;
    Time since;

    /// "the greeting", "the reply to RCPT", "the reply to the end of the message".
    std::string words() const;
  };

  DialogueNotes();

  void said(Side side, std::span<const std::uint8_t> octets, Time now);
  /// Nothing more will come.
  void finish();

  const std::vector<Message>& messages() const { return messages_; }
  const std::vector<Refusal>& refusals() const { return refusals_; }
  /// What has been awaited longest; empty if nothing is.
  std::optional<Awaited> awaited() const;
  /// MAIL commands of mails.
  std::uint64_t transactions() const { return transactions_; }
  /// MAIL commands with the null reverse-path: reports, which are no tries of the mail.
  std::uint64_t reports() const { return reports_; }
  /// Keywords that MAIL asked for: "8BITMIME", "SMTPUTF8", "BINARYMIME". Each once.
  const std::vector<std::string>& needed() const { return needed_; }
  const Capabilities& offered() const { return conversation_.capabilities(); }
  /// From here on it is encrypted, and what became of mail is not to be seen.
  bool in_tls() const { return conversation_.phase() == Conversation::Phase::kTls; }
  /// QUIT was said.
  bool quit() const { return quit_; }

 private:
  static constexpr std::size_t kMostMessages = 10'000;
  static constexpr std::size_t kMostRecipients = 10'000;  // of a message
  static constexpr std::size_t kMostRefusals = 100;

  struct Asked {
    Awaited what;
    std::string path;  // of MAIL, RCPT
  };

  void drain();
  void on_command(const Command& command);
  void on_reply(const Reply& reply);
  bool follows_from_rcpt(const Reply& reply) const;
  void on_end_of_message(Exchange exchange);
  Message* message_of(Exchange exchange);
  void on_answer_to_end(const Reply& reply, Message& message);
  void begin_transaction();

  Conversation conversation_;
  Time now_;
  std::deque<Asked> asked_;
  std::vector<Message> messages_;
  std::vector<Refusal> refusals_;
  std::vector<std::string> needed_;
  std::string sender_;
  std::vector<std::string> recipients_;
  std::uint64_t transactions_ = 0;
  std::uint64_t reports_ = 0;
  bool by_recipient_ = false;  // LMTP (RFC 2033 4.2): each gets a reply of its own
  bool quit_ = false;
};

}  // namespace smtpscope
