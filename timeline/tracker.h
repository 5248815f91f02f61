#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "capture/sanitizer.h"
#include "timeline/event.h"
#include "timeline/rule_context.h"
#include "timeline/rule_engine.h"
#include "timeline/rule_set.h"
#include "timeline/state/arrival_times.h"
#include "timeline/state/command_counts.h"
#include "timeline/state/pending_exchanges.h"
#include "timeline/state/run_history.h"
#include "timeline/state/session_state.h"
#include "timeline/state/silence_watch.h"
#include "timeline/state/transaction_tracker.h"
#include "timeline/verdict/verdict.h"

namespace smtpscope {

/// Turns one session's items into its timeline: entries with times, transactions, silences,
/// annotations, totals. Emits as it goes and keeps bounded state, so the live view and a batch
/// export are the same code. One per session. Not thread-safe.
///
/// It couples parts that know one thing each: ArrivalTimes (when octets came), PendingExchanges
/// (what is owed a reply), TransactionTracker, SilenceWatch, SessionState with what replies change
/// in it, RuleEngine. What happens at one time is a moment: its entry is emitted first, then the
/// rules are asked, then what they found is folded and emitted, then the transactions that ended.
/// At a new command the order is: the run of RSETs that it ends, the silence that it ends, its
/// entry.
class Tracker : public ItemSink {
 public:
  /// All must outlive the tracker. `history` is shared by the trackers of a run.
  Tracker(SessionId session, const RuleSet& rules, RunHistory& history, TimelineSink& sink);
  ~Tracker() override;
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  void on_event(const WireEvent& event, const Conversation& conversation) override;
  void on_item(const Item& item, const Conversation& conversation) override;
  void on_event_done(const WireEvent& event, const Conversation& conversation) override;

  /// The trace ends at `now`, and the session has not: tells what is known so far.
  void break_off(Time now, const Conversation& conversation);

  /// A mail transaction is under way.
  bool in_transaction() const { return transactions_.under_way(); }

  /// Who has kept whom waiting since the last event, as seen at `now`.
  SilenceWatch::Wait waiting(Time now) const { return silences_.lasting(now); }

 private:
  struct Pieces {
    std::array<ReadPiece, ArrivalTimes::kKeptReads> first;
    std::array<ReadPiece, ArrivalTimes::kLastReads> last;
  };

  // Wire events, as they come (tracker.cc).
  void begin(bool mid_session);
  void on_body(const SessionOpened& opened, const Conversation& conversation);
  void on_body(const UpstreamConnected& connected, const Conversation& conversation);
  void on_body(const UpstreamFailed& failed, const Conversation& conversation);
  void on_body(const Bytes& bytes, const Conversation& conversation);
  void on_body(const Blocked& blocked, const Conversation& conversation);
  void on_body(const ProxyStalled& stalled, const Conversation& conversation);
  void on_body(const Gap& gap, const Conversation& conversation);
  void on_body(const Closed& closed, const Conversation& conversation);
  void on_body(const TlsHandshake& handshake, const Conversation& conversation);
  void on_body(const TlsAlerted& alert, const Conversation& conversation);
  void on_body(const Remark& remark, const Conversation& conversation);
  void on_body(const TcpReport& report, const Conversation& conversation);
  void on_body(const SessionEnded& ended, const Conversation& conversation);
  // What is done once the items that a close completed have been seen.
  void close(const Closed& closed, const Conversation& conversation);
  void end_session(const Conversation& conversation);
  void sum_up(const Conversation& conversation);
  /// The client holds this connection no longer: its close, or the end of the session. Once.
  void leave_history();
  /// Ends the transactions that nothing can continue now that a side has closed.
  void end_unfinished(const Conversation& conversation);

  // Items (tracker_items.cc).
  void on_body(const Item& item, const Command& command, const Conversation& conversation);
  void on_body(const Item& item, const Reply& reply, const Conversation& conversation);
  void on_body(const Item& item, const AuthResponse& response, const Conversation& conversation);
  void on_body(const Item& item, const MailData& data, const Conversation& conversation);
  void on_body(const Item& item, const Chunk& chunk, const Conversation& conversation);
  void on_body(const Item& item, const Blob& blob, const Conversation& conversation);
  void on_body(const Item& item, const ProxyHeader& header, const Conversation& conversation);
  void on_body(const Item& item, const TlsRecord& record, const Conversation& conversation);
  template <typename Other>  // GarbageLine, Junk
  void on_body(const Item& item, const Other& other, const Conversation& conversation);
  Entry make_entry(const Item& item, Pieces& pieces) const;
  void emit_entry(const Entry& entry);
  /// An entry of which the rules are asked under `trigger`; the state is not changed by it.
  void tell(const Item& item, RuleTrigger trigger, std::uint64_t transaction,
            const Conversation& conversation);
  void note_rset(const PendingExchange& rset);
  /// The reply came so soon that the server cannot have seen what it seems to answer.
  bool too_soon(const Reply& reply, const Entry& entry, const PendingExchange& answered) const;

  // Moments (tracker.cc).
  void end_wait();
  void tell_of_change(const Bytes& bytes);
  void flush_silence(const Conversation& conversation);
  void end_rset_run(const Conversation& conversation);
  void ask(RuleTrigger trigger, const Moment& moment, const Conversation& conversation);
  /// Asks about a command (`slot`: its verb) or a reply (what it answers). `marks`: RuleMark bits.
  void ask(RuleTrigger trigger, std::size_t slot, std::uint8_t marks, const Moment& moment,
           const Conversation& conversation);
  /// Asks about the transactions that ended, settles, and emits them.
  void settle(Moment moment, const Conversation& conversation);
  void finish_transaction(const Transaction& transaction);
  bool lost_before(const Transaction& transaction) const;
  TxnMark mark_of(std::uint64_t transaction) const;
  template <typename Body>
  void emit(Body&& body);

  const SessionId session_;
  const RuleSet& rules_;
  RunHistory& history_;
  TimelineSink& sink_;

  Time now_;         // of the wire event being worked on
  Time last_event_;  // end of the last entry or other event: since_previous counts from it
  SessionState state_;
  ArrivalTimes arrivals_;
  PendingExchanges pending_;
  TransactionTracker transactions_;
  SilenceWatch silences_;
  std::unique_ptr<SilenceWatch::Wait> silence_;  // long enough, ended, not told yet
  RuleEngine engine_;

  // Totals.
  CommandCounts counts_;
  std::array<std::uint64_t, 2> octets_{};
  /// What became of the transactions that ended.
  struct Tallies {
    std::array<std::uint64_t, 6> outcomes{};
    std::vector<TransactionTally> first;  // kTalliedTransactions of them
  };
  std::unique_ptr<Tallies> tallies_;  // nullptr until one did
  bool began_ = false;
  bool ended_ = false;
};

}  // namespace smtpscope
