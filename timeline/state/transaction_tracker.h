#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "parser/item.h"
#include "parser/path.h"
#include "timeline/event.h"
#include "timeline/state/pending_exchanges.h"
#include "timeline/state/session_state.h"
#include "timeline/state/transaction.h"

namespace smtpscope {

/// MAIL, or what stands for it.
bool begins_transaction(Verb verb);

/// Follows the mail transactions of a session. Commands say what the client is up to, replies
/// decide: a transaction opens when MAIL is answered 2yz and ends with the reply that ends it.
/// A pipelining client is ahead of the replies, so several may be under way (RFC 2920 3.1 lets
/// MAIL follow an end-of-data); kMaxUnderWay of them are kept. Owns no heap memory until the first
/// MAIL. Not thread-safe.
class TransactionTracker {
 public:
  static constexpr std::size_t kMaxUnderWay = 16;

  /// What was sent, when and as which entry, is in `pending`, whose transaction, recipient and
  /// ends_message are set here. `state` gets what rules want to know of transactions.
  /// `path`: the argument of MAIL, RCPT and their like taken apart; nullptr for other commands (see
  /// begins_transaction()).
  void on_command(const Command& command, const PathArgument* path, PendingExchange& pending,
                  SessionState& state);
  void on_mail_data(const MailData& data, std::uint64_t wire_octets, const Entry& entry,
                    PendingExchange& pending);
  /// What has come so far of a message that will not be finished.
  void on_unfinished_data(const MessageFacts& facts);
  void on_chunk(const Chunk& chunk, std::uint64_t wire_octets, const PendingExchange& pending,
                const SessionState& state);
  /// A reply that answers something. `pending` is where other commands of a refused MAIL's
  /// transaction may have to be moved.
  void on_reply(const Reply& reply, const Entry& entry, const PendingExchange& answered,
                PendingExchanges& pending, SessionState& state);
  /// The server has ended the session by a 421 (RFC 5321 3.8).
  void on_hangup(const Entry& entry);
  /// Nothing can continue what is under way.
  void end_all(AbortedBy cause, Time time);
  /// The trace ends, and what is under way goes on: its outcome stays open.
  void leave_open(Time time);

  /// The transaction that the client's next command would belong to; 0: none.
  std::uint64_t current() const;
  /// The transaction that the server has open; nullptr: none.
  const Transaction* open() const;
  /// One under way or just ended; nullptr if it is neither.
  const Transaction* find(std::uint64_t number) const;
  bool under_way() const { return !under_way_.empty(); }

  /// Those that ended since drop_ended(), in order.
  std::size_t ended() const { return ended_.size(); }
  const Transaction& ended(std::size_t i) const { return ended_[i]->transaction; }
  void drop_ended() { ended_.clear(); }

 private:
  struct UnderWay {
    Transaction transaction;
    Exchange mail = 0;              // exchange of its MAIL
    Verb left_by = Verb::kUnknown;  // the client sent what will end it: RSET, EHLO, QUIT …
    bool has_final = false;         // the last reply to its end-of-data is in
    bool per_recipient = false;     // LMTP or PRDR: a final reply for each recipient
    bool prdr = false;
  };
  using Iterator = std::vector<std::unique_ptr<UnderWay>>::iterator;

  UnderWay* current_one();
  UnderWay* find_one(std::uint64_t number);
  void begin(const PathArgument& path, PendingExchange& pending, SessionState& state);
  void add_recipient(const PathArgument& path, PendingExchange& pending);
  void on_mail_reply(UnderWay& one, const Reply& reply, const Entry& entry,
                     PendingExchanges& pending);
  void on_rcpt_reply(UnderWay& one, const Reply& reply, const Entry& entry,
                     const PendingExchange& answered, const SessionState& state);
  void on_final_reply(UnderWay& one, const Reply& reply, const Entry& entry, SessionState& state);
  void merge_into_older(UnderWay& refused, PendingExchanges& pending);
  /// Ends all whose MAIL was sent before `exchange`.
  void end_before(Exchange exchange, AbortedBy cause, std::uint64_t entry, Time time);
  void end(UnderWay& one, AbortedBy cause, std::uint64_t entry, Time time);

  std::vector<std::unique_ptr<UnderWay>> under_way_;  // by number
  std::vector<std::unique_ptr<UnderWay>> ended_;
};

}  // namespace smtpscope
