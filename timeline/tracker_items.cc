#include <optional>
#include <type_traits>

#include "base/ascii.h"
#include "parser/conversation.h"
#include "parser/path.h"
#include "timeline/rule_marks.h"
#include "timeline/state/history_notes.h"
#include "timeline/state/pipelining_notes.h"
#include "timeline/state/refusal_notes.h"
#include "timeline/state/session_changes.h"
#include "timeline/state/session_notes.h"
#include "timeline/tracker.h"
#include "timeline/unmet_needs.h"

namespace smtpscope {
namespace {

/// The argument of a command that takes a path, taken apart for all who want it.
std::optional<PathArgument> path_of(const Command& command) {
  if (begins_transaction(command.verb)) return parse_path(command.arguments, "FROM:");
  if (command.verb == Verb::kRcpt) return parse_path(command.arguments, "TO:");
  return std::nullopt;
}

}  // namespace

void Tracker::on_item(const Item& item, const Conversation& conversation) {
  std::visit([&](const auto& body) { on_body(item, body, conversation); }, item.body);
  arrivals_.forget(item.side, item.end);
}

Entry Tracker::make_entry(const Item& item, Pieces& pieces) const {
  const ArrivalTimes::Arrival arrival =
      arrivals_.look_up(item.side, item.begin, item.end, now_, pieces.first, pieces.last);
  Entry entry;
  entry.number = state_.entries + 1;
  entry.item = &item;
  entry.by_proxy = arrival.by_proxy;
  entry.undelivered = arrival.undelivered;
  entry.tls = state_.in_tls[index(item.side)] && !arrival.by_proxy;
  entry.first = arrival.first;
  entry.last = arrival.last;
  // Both sides can speak at once: then the entry before ended after this one began.
  entry.since_previous = std::max(Duration::zero(), entry.first - last_event_);
  entry.reads = std::span(pieces.first).first(arrival.pieces);
  entry.last_reads = std::span(pieces.last).first(arrival.last_pieces);
  entry.read_count = arrival.read_count;
  return entry;
}

void Tracker::emit_entry(const Entry& entry) {
  state_.entries = entry.number;
  last_event_ = std::max(last_event_, entry.last);
  sink_.on_timeline({.session = session_, .time = now_, .body = entry});
}

void Tracker::tell(const Item& item, RuleTrigger trigger, std::uint64_t transaction,
                   const Conversation& conversation) {
  Pieces pieces;
  flush_silence(conversation);
  Entry entry = make_entry(item, pieces);
  entry.transaction = transaction;
  entry.mark = mark_of(transaction);
  emit_entry(entry);
  const Moment moment{.now = now_, .entry = &entry, .transaction = transactions_.find(transaction)};
  ask(trigger, moment, conversation);
  settle(moment, conversation);
}

void Tracker::on_body(const Item& item, const Command& command, const Conversation& conversation) {
  if (command.verb != Verb::kRset) end_rset_run(conversation);
  flush_silence(conversation);

  Pieces pieces;
  Entry entry = make_entry(item, pieces);
  PendingExchange sent{.exchange = command.exchange,
                       .entry = entry.number,
                       .first = entry.first,
                       .last = entry.last,
                       .pending_before = command.pending_before,
                       .verb = command.verb,
                       .has_arguments = !without_trailing_blanks(command.arguments).empty()};
  const std::uint64_t begun = state_.transactions;
  if ((command.flags & kTlsNeverCame) != 0) {
    note_tls_never_came(state_);
    engine_.lack(unmet_needs(state_.fidelity));
  }
  const std::optional<PathArgument> argument = path_of(command);
  const PathArgument* path = argument ? &*argument : nullptr;
  transactions_.on_command(command, path, sent, state_);
  entry.transaction = sent.transaction;
  entry.mark = state_.transactions > begun ? TxnMark::kBegins : mark_of(sent.transaction);
  if (command.pending_before == 0 && state_.entries > 0) entry.think = entry.since_previous;
  note_reads(entry, state_);
  emit_entry(entry);

  const Moment moment{.now = now_,
                      .entry = &entry,
                      .command = &command,
                      .path = path,
                      .transaction = transactions_.find(entry.transaction)};
  ask(kOnCommand, static_cast<std::size_t>(command.verb),
      marks_of(command, entry, rules_.thresholds()), moment, conversation);
  settle(moment, conversation);

  note_pipelining(command, entry, conversation.capabilities(), state_);
  note_command(item, command, path, entry, conversation.capabilities(), state_);
  state_.last_command = {.entry = entry.number,
                         .verb = command.verb,
                         .has_arguments = sent.has_arguments,
                         .first = entry.first,
                         .last = entry.last,
                         .idle_before = entry.think.value_or(Duration::zero())};
  counts_.sent(command.verb);
  if (command.verb == Verb::kQuit) state_.quit_sent = true;
  if (command.verb == Verb::kRset) note_rset(sent);
  if (command.exchange != kNoExchange) pending_.add(sent);
}

void Tracker::note_rset(const PendingExchange& rset) {
  if (state_.rset_run == nullptr) state_.rset_run = std::make_unique<RsetRun>();
  RsetRun& run = *state_.rset_run;
  if (run.ended || run.count == 0) {
    run = RsetRun();
    run.first = rset.first;
  } else if (run.count <= RsetRun::kKept) {
    run.spacings[run.count - 1] = rset.first - run.last;
  }
  if (run.count < RsetRun::kKept) run.entries[run.count] = rset.entry;
  run.last = rset.first;
  ++run.count;
}

bool Tracker::too_soon(const Reply& reply, const Entry& entry,
                       const PendingExchange& answered) const {
  // Rules 1.11, 6. The smallest round trip seen contains some of the server's work, so half of it
  // is the limit: a server on the same host may well answer faster than ever before. What the
  // kernel measured is the way alone.
  if (reply.code != 421 && reply.code != 521) return false;
  // Stamps from before and behind a step of a coarse clock tell no time between them.
  if (!state_.rtt_s || state_.fidelity.resolution >= kCoarseTimes) return false;
  const Duration limit = state_.rtt_measured ? *state_.rtt_s : *state_.rtt_s / 2;
  return entry.first - answered.last < limit;
}

void Tracker::on_body(const Item& item, const Reply& reply, const Conversation& conversation) {
  flush_silence(conversation);
  Pieces pieces;
  Entry entry = make_entry(item, pieces);

  PendingExchange* answered = pending_.answer(reply.exchange);
  if (answered != nullptr && too_soon(reply, entry, *answered)) {
    answered = nullptr;
    entry.unsolicited = true;
  }
  if (reply.answers == Answers::kUnsolicited) entry.unsolicited = true;

  if (reply.answers == Answers::kGreeting && state_.connected) {
    entry.think = std::max(Duration::zero(), entry.first - state_.connected_at);
  }
  if (answered != nullptr) {
    entry.answers = answered->entry;
    entry.transaction = answered->transaction;
    const Time asked = std::max(answered->last, state_.last_reply.last);
    entry.think = std::max(Duration::zero(), entry.first - asked);
    if (!entry.by_proxy && answered->kind != Answers::kEndOfData) {
      note_round_trip(entry, *answered, state_);
    }
  }

  // The pending one may be moved by what follows; rules see it as it was.
  std::optional<PendingExchange> asked;
  if (answered != nullptr) {
    asked = *answered;
  } else if (reply.answers == Answers::kEndOfData && !entry.unsolicited) {
    // The server did not wait for the end of the message that it answers: there is no entry yet.
    asked = PendingExchange{.exchange = reply.exchange,
                            .first = entry.first,
                            .last = entry.first,
                            .transaction = transactions_.current(),
                            .verb = Verb::kData,
                            .kind = Answers::kEndOfData,
                            .ends_message = true};
    entry.transaction = asked->transaction;
  }
  note_reads(entry, state_);
  note_reply(reply, entry, answered, state_);
  apply_reply(reply, entry, answered, state_);
  if (asked) {
    transactions_.on_reply(reply, entry, *asked, pending_, state_);
  } else if (entry.unsolicited) {
    if (const Transaction* open = transactions_.open()) entry.transaction = open->number;
    transactions_.on_hangup(entry);
  }
  if (transactions_.find(entry.transaction) == nullptr) entry.transaction = 0;
  entry.mark = mark_of(entry.transaction);
  if (reply.first_digit() >= 4) {
    entry.refusal = note_refusal(reply, entry, asked ? &*asked : nullptr, rules_.reasons(), state_);
  }
  emit_entry(entry);

  const bool accepted = reply.first_digit() == 2;
  if (asked && reply.ordinal == 0 && accepted) {
    // What the end of data decides is counted with its transaction.
    if (asked->kind != Answers::kEndOfData || asked->transaction == 0) {
      const bool farewell = asked->kind == Answers::kAuthResponse && reply.code == 221;
      if (!farewell && (asked->verb != Verb::kData || asked->kind == Answers::kEndOfData)) {
        counts_.accepted(asked->verb);
      }
    }
  }
  if (asked && asked->verb == Verb::kRset && asked->kind == Answers::kCommand) {
    RsetRun* run = state_.rset_run.get();
    if (run != nullptr && !accepted) run->all_accepted = false;
    if (run != nullptr && asked->entry == run->entries[0] && transactions_.ended() > 0) {
      run->aborted = transactions_.ended(0).number;
    }
    if (accepted && transactions_.ended() == 0) note_idle_rset(*asked, entry.last, state_);
  }

  if (asked && asked->verb == Verb::kRcpt) {
    if (const Transaction* txn = transactions_.find(asked->transaction)) {
      note_recipient(*txn, history_.find_client(state_.client_host), state_);
    }
  }
  Moment moment{.now = now_,
                .entry = &entry,
                .reply = &reply,
                .answered = asked ? &*asked : nullptr,
                .transaction = transactions_.find(entry.transaction)};
  if (transactions_.ended() > 0) moment.ended = &transactions_.ended(0);
  if (moment.transaction == nullptr) moment.transaction = transactions_.open();
  std::size_t slot = kNothingSlot;
  if (asked) slot = static_cast<std::size_t>(asked->verb);
  if (reply.answers == Answers::kGreeting) slot = kGreetingSlot;
  ask(kOnReply, slot, marks_of(reply, entry, state_, rules_.thresholds()), moment, conversation);
  settle(moment, conversation);
  if (reply.owed_after == 0) end_pipelined_run(state_);
  if (asked) {
    remember_reply(reply, entry, *asked, {session_, state_, transactions_, conversation}, history_);
  } else if (reply.answers == Answers::kGreeting) {
    remember_delay(entry, session_, state_, history_);
  }

  state_.last_reply = {.entry = entry.number,
                       .code = reply.code,
                       .answers = reply.answers,
                       .verb = reply.verb,
                       .first = entry.first,
                       .last = entry.last};
}

void Tracker::on_body(const Item& item, const AuthResponse& response,
                      const Conversation& conversation) {
  tell(item, kOnOtherEntry, transactions_.current(), conversation);
  note_auth_response(response, state_);
  if (response.exchange == kNoExchange) return;
  pending_.add({.exchange = response.exchange,
                .entry = state_.entries,
                .first = arrivals_.time_of(item.side, item.begin + 1, now_),
                .last = arrivals_.time_of(item.side, item.end, now_),
                .transaction = transactions_.current(),
                .verb = Verb::kAuth,
                .kind = Answers::kAuthResponse});
}

void Tracker::on_body(const Item& item, const MailData& data, const Conversation& conversation) {
  flush_silence(conversation);
  Pieces pieces;
  Entry entry = make_entry(item, pieces);
  PendingExchange sent{.exchange = data.exchange,
                       .entry = entry.number,
                       .first = entry.first,
                       .last = entry.last,
                       .verb = Verb::kData,
                       .kind = Answers::kEndOfData,
                       .ends_message = true,
                       .at_candidate = data.end == DataEnd::kCandidate};
  transactions_.on_mail_data(data, item.end - item.begin, entry, sent);
  entry.transaction = sent.transaction;
  entry.mark = mark_of(sent.transaction);
  emit_entry(entry);
  if (data.exchange != kNoExchange && !data.answered_early) pending_.add(sent);
  const Moment moment{
      .now = now_, .entry = &entry, .transaction = transactions_.find(entry.transaction)};
  note_mail_data(data, entry, moment.transaction, state_);
  ask(kOnData, moment, conversation);
  settle(moment, conversation);
}

void Tracker::on_body(const Item& item, const Chunk& chunk, const Conversation& conversation) {
  flush_silence(conversation);
  Pieces pieces;
  Entry entry = make_entry(item, pieces);
  entry.transaction = transactions_.current();
  const PendingExchange sent{
      .entry = entry.number, .first = entry.first, .last = entry.last, .verb = Verb::kBdat};
  transactions_.on_chunk(chunk, item.end - item.begin, sent, state_);
  note_chunk(entry, state_);
  // The reply to a chunk comes as soon as its last octet is there, not its command.
  if (PendingExchange* command = pending_.find(chunk.exchange)) command->last = entry.last;
  entry.mark = mark_of(entry.transaction);
  emit_entry(entry);
  const Moment moment{
      .now = now_, .entry = &entry, .transaction = transactions_.find(entry.transaction)};
  ask(kOnData, moment, conversation);
  settle(moment, conversation);
}

void Tracker::on_body(const Item& item, const Blob& blob, const Conversation& conversation) {
  const Time last = arrivals_.time_of(item.side, item.end, now_);
  tell(item, kOnOtherEntry, transactions_.current(), conversation);
  if (blob.exchange == kNoExchange) return;
  // Its reply comes under the number of the command that announced it.
  const PendingExchange sent{.exchange = blob.exchange,
                             .entry = state_.entries,
                             .first = last,
                             .last = last,
                             .transaction = transactions_.current(),
                             .verb = Verb::kXexch50,
                             .kind = Answers::kBlob};
  if (PendingExchange* command = pending_.find(blob.exchange)) {
    *command = sent;
  } else {
    pending_.add(sent);
  }
}

void Tracker::on_body(const Item& item, const TlsRecord& record, const Conversation& conversation) {
  if (note_tls_record(item, record, now_, state_.entries + 1, state_)) {
    tell(item, kOnOtherEntry, 0, conversation);
  } else {
    last_event_ = std::max(last_event_, now_);
  }
}

void Tracker::on_body(const Item& item, const ProxyHeader& header,
                      const Conversation& conversation) {
  note_proxy_header(state_.entries + 1, state_);
  if (!header.local) state_.client_is_told = true;
  tell(item, kOnOtherEntry, transactions_.current(), conversation);
}

template <typename Other>
void Tracker::on_body(const Item& item, const Other&, const Conversation& conversation) {
  if constexpr (std::is_same_v<Other, GarbageLine>) {
    if (state_.greeting == SessionState::Greeting::kPending) state_.greeted_oddly = true;
  }
  tell(item, kOnOtherEntry, transactions_.current(), conversation);
}

}  // namespace smtpscope
