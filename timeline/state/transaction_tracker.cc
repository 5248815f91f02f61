#include "timeline/state/transaction_tracker.h"

#include <algorithm>
#include <cassert>

#include "parser/command_line.h"
#include "timeline/state/envelope_hash.h"
#include "timeline/state/read_pace.h"

namespace smtpscope {
namespace {

/// Kept of a path or a reply's text. RFC 5321 4.5.3.1.3 allows a path 256 octets and 4.5.3.1.5 a
/// reply line 512.
constexpr std::size_t kKeptText = 512;

void keep(std::string& into, std::string_view text) { into.assign(text.substr(0, kKeptText)); }

/// BURL's own LAST is the word behind the URL (RFC 4468 3.1).
bool burl_is_last(std::string_view arguments) {
  while (!arguments.empty() && arguments.back() == ' ') arguments.remove_suffix(1);
  const std::size_t space = arguments.rfind(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view word = arguments.substr(space + 1);
  return std::ranges::equal(word, std::string_view("LAST"),
                            [](char a, char b) { return (a & ~0x20) == b; });
}

void note_refusal(Transaction& txn, const Reply& reply, const Entry& entry) {
  if (reply.first_digit() != 4) txn.temporary_only = false;
  if (txn.refusal_code != 0) return;
  txn.refusal_code = reply.code;
  keep(txn.refusal_text, reply.last_text());
  txn.refusal_entry = entry.number;
}

/// Every recipient named so far was refused.
bool all_refused(const Transaction& txn) {
  return txn.rcpt_sent > 0 && txn.rcpt_refused == txn.rcpt_sent;
}

/// RFC 2033 4.2: in LMTP the end of data is owed a reply per accepted recipient; here, none. (DATA
/// is refused then; the chunks of BDAT are not.)
bool owes_no_final(const Transaction& txn, const SessionState& state) {
  return state.hello == SessionState::Hello::kLhlo && all_refused(txn);
}

Outcome outcome_by_finals(const Transaction& txn, bool per_recipient) {
  if (!per_recipient) {
    if (txn.final_code / 100 != 2) return Outcome::kRejected;
    if (txn.rcpt_refused == 0) return Outcome::kAccepted;
    return txn.rcpt_accepted > 0 ? Outcome::kPartial : Outcome::kRejected;
  }
  if (txn.finals_accepted == 0) return Outcome::kRejected;
  return txn.finals_accepted == txn.finals && txn.rcpt_refused == 0 ? Outcome::kAccepted
                                                                    : Outcome::kPartial;
}

Outcome outcome_without_final(const Transaction& txn, AbortedBy cause) {
  if (txn.data_sent && !all_refused(txn)) return Outcome::kUnknown;
  // Rules 2.0.3: refused by the server and then given up is rejected, not aborted.
  const bool mail_refused = txn.mail_code != 0 && !txn.opened();
  if (mail_refused || all_refused(txn) || txn.data_code >= 400) return Outcome::kRejected;
  // Nothing is known to have ended it: the trace ends first.
  return cause == AbortedBy::kNothing ? Outcome::kUnknown : Outcome::kAborted;
}

}  // namespace

bool begins_transaction(Verb verb) {
  // RFC 5321 App. F: the obsolete SEND, SOML and SAML stand where MAIL does.
  return verb == Verb::kMail || verb == Verb::kSend || verb == Verb::kSoml || verb == Verb::kSaml;
}

TransactionTracker::UnderWay* TransactionTracker::current_one() {
  // The client's commands come in order, so it can only be in the one it began last.
  if (under_way_.empty()) return nullptr;
  UnderWay& last = *under_way_.back();
  return last.left_by != Verb::kUnknown || last.transaction.data_sent ? nullptr : &last;
}

std::uint64_t TransactionTracker::current() const {
  if (under_way_.empty()) return 0;
  const UnderWay& last = *under_way_.back();
  return last.left_by != Verb::kUnknown || last.transaction.data_sent ? 0 : last.transaction.number;
}

const Transaction* TransactionTracker::open() const {
  for (const std::unique_ptr<UnderWay>& one : under_way_) {
    if (one->transaction.opened()) return &one->transaction;
  }
  return nullptr;
}

TransactionTracker::UnderWay* TransactionTracker::find_one(std::uint64_t number) {
  for (const std::unique_ptr<UnderWay>& one : under_way_) {
    if (one->transaction.number == number) return one.get();
  }
  return nullptr;
}

const Transaction* TransactionTracker::find(std::uint64_t number) const {
  for (const auto* list : {&under_way_, &ended_}) {
    for (const std::unique_ptr<UnderWay>& one : *list) {
      if (one->transaction.number == number) return &one->transaction;
    }
  }
  return nullptr;
}

void TransactionTracker::on_command(const Command& command, const PathArgument* path,
                                    PendingExchange& pending, SessionState& state) {
  if (begins_transaction(command.verb)) {
    begin(*path, pending, state);
    return;
  }
  UnderWay* one = current_one();
  if (one == nullptr) return;
  Transaction& txn = one->transaction;
  pending.transaction = txn.number;
  switch (command.verb) {
    case Verb::kRcpt:
      add_recipient(*path, pending);
      break;
    case Verb::kData:
    case Verb::kBdat:
    case Verb::kBurl:
      // RFC 4468 3.2: BURL and BDAT may be mixed.
      txn.mixed_data |= txn.data_verb != Verb::kUnknown &&
                        (txn.data_verb == Verb::kData) != (command.verb == Verb::kData);
      txn.data_verb = command.verb;
      txn.data_pipelined = pending.pending_before > 0;
      if (txn.reverse_path.empty()) state.null_sender_data = true;
      if (command.verb == Verb::kBdat) {
        const auto chunk = parse_chunk_argument(command.arguments);
        pending.ends_message = chunk && chunk->last;
      } else if (command.verb == Verb::kBurl) {
        pending.ends_message = burl_is_last(command.arguments);
        if (pending.ends_message) {
          txn.data_sent = true;
          txn.data_ended = pending.last;
        }
      }
      break;
    case Verb::kRset:
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
    case Verb::kQuit:
    case Verb::kStartTls:
    case Verb::kXanonymousTls:
    case Verb::kXclient:
      one->left_by = command.verb;
      txn.given_up = true;
      break;
    default:
      break;
  }
}

void TransactionTracker::begin(const PathArgument& path, PendingExchange& pending,
                               SessionState& state) {
  if (under_way_.size() == kMaxUnderWay) {
    end(*under_way_.front(), AbortedBy::kNothing, 0, pending.first);
  }
  auto one = std::make_unique<UnderWay>();
  Transaction& txn = one->transaction;
  txn.nested_in = current();
  txn.number = ++state.transactions;
  txn.first_entry = pending.entry;
  txn.began = pending.first;
  keep(txn.reverse_path, path.path);
  keep(txn.parameters, path.parameters);
  txn.declared = read_declared_message(path.parameters);
  txn.envelope_hash = sender_hash(path.path);
  one->mail = pending.exchange;
  pending.transaction = txn.number;
  under_way_.push_back(std::move(one));
}

void TransactionTracker::add_recipient(const PathArgument& path, PendingExchange& pending) {
  Transaction& txn = under_way_.back()->transaction;
  ++txn.rcpt_sent;
  txn.envelope_hash = with_recipient(txn.envelope_hash, path.path);
  if (txn.recipients.size() == Transaction::kKeptRecipients) return;
  pending.recipient = static_cast<std::uint32_t>(txn.recipients.size());
  Recipient& recipient = txn.recipients.emplace_back();
  keep(recipient.path, path.path);
  recipient.entry = pending.entry;
}

void TransactionTracker::on_mail_data(const MailData& data, std::uint64_t wire_octets,
                                      const Entry& entry, PendingExchange& pending) {
  UnderWay* one = current_one();
  if (one == nullptr) return;
  Transaction& txn = one->transaction;
  pending.transaction = txn.number;
  pending.ends_message = true;
  txn.facts = data.facts;
  txn.missing_octets = data.missing_octets;
  txn.wire_octets = wire_octets;
  txn.data_entry = pending.entry;
  txn.data_reads = entry.read_count;
  if (const std::optional<DotPause> dot = dot_pause(entry)) txn.dot_pause = dot->pause;
  if (txn.data_began == Time{}) txn.data_began = pending.first;
  txn.data_ended = pending.last;
  const bool end_seen = data.end == DataEnd::kStrict || data.end == DataEnd::kCandidate;
  txn.data_sent = (end_seen || data.exchange != kNoExchange) && txn.data_code < 400;
  if (one->has_final) end(*one, AbortedBy::kNothing, txn.final_entry, pending.last);
}

void TransactionTracker::on_unfinished_data(const MessageFacts& facts) {
  if (UnderWay* one = current_one()) one->transaction.facts = facts;
}

void TransactionTracker::on_chunk(const Chunk& chunk, std::uint64_t wire_octets,
                                  const PendingExchange& pending, const SessionState& state) {
  UnderWay* one = current_one();
  if (one == nullptr) return;
  Transaction& txn = one->transaction;
  txn.facts = chunk.facts;
  txn.missing_octets += chunk.missing_octets;
  txn.data_entry = pending.entry;
  txn.wire_octets += wire_octets;
  if (txn.data_began == Time{}) txn.data_began = pending.first;
  txn.data_ended = pending.last;
  if (!chunk.last || !chunk.complete) return;
  txn.data_sent = true;
  if (one->has_final) {
    end(*one, AbortedBy::kNothing, txn.final_entry, pending.last);
  } else if (owes_no_final(txn, state)) {
    end(*one, AbortedBy::kNothing, pending.entry, pending.last);
  }
}

void TransactionTracker::on_reply(const Reply& reply, const Entry& entry,
                                  const PendingExchange& answered, PendingExchanges& pending,
                                  SessionState& state) {
  const bool accepted = reply.first_digit() == 2;
  UnderWay* one = find_one(answered.transaction);

  if (one != nullptr && (answered.kind == Answers::kEndOfData || answered.ends_message)) {
    on_final_reply(*one, reply, entry, state);
    if (reply.code == 421) end_all(AbortedBy::k421, entry.last);
    return;
  }
  if (reply.code == 421) {
    // RFC 5321 3.8: the server is closing. It answers this command and all that follow it, and it
    // refuses no recipient.
    if (one != nullptr && answered.exchange == one->mail) one->transaction.mail_code = reply.code;
    on_hangup(entry);
    return;
  }
  if (answered.kind != Answers::kCommand) return;

  AbortedBy cause = AbortedBy::kNothing;
  switch (answered.verb) {
    case Verb::kMail:
    case Verb::kSend:
    case Verb::kSoml:
    case Verb::kSaml:
      if (one != nullptr) on_mail_reply(*one, reply, entry, pending);
      return;
    case Verb::kRcpt:
      if (one != nullptr) on_rcpt_reply(*one, reply, entry, answered, state);
      return;
    case Verb::kData:
    case Verb::kBdat:
    case Verb::kBurl:
      if (one == nullptr) return;
      one->transaction.data_code = reply.code;
      if (reply.code == 354) one->transaction.data_began = entry.last;
      if (reply.first_digit() >= 4) note_refusal(one->transaction, reply, entry);
      return;
    case Verb::kRset:
      cause = AbortedBy::kRset;
      break;
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      cause = AbortedBy::kHello;
      break;
    case Verb::kQuit:
      cause = AbortedBy::kQuit;
      break;
    case Verb::kStartTls:
    case Verb::kXanonymousTls:
      cause = AbortedBy::kStartTls;
      break;
    case Verb::kXclient:
      cause = AbortedBy::kXclient;
      break;
    default:
      return;
  }
  if (accepted) {
    end_before(answered.exchange, cause, entry.number, entry.last);
  } else if (one != nullptr) {
    one->left_by = Verb::kUnknown;  // RFC 5321 4.1.4: refused, the state is as before
  }
}

void TransactionTracker::on_mail_reply(UnderWay& one, const Reply& reply, const Entry& entry,
                                       PendingExchanges& pending) {
  one.transaction.mail_code = reply.code;
  if (one.transaction.opened()) {
    end_before(one.mail, AbortedBy::kMail, entry.number, entry.last);
    return;
  }
  note_refusal(one.transaction, reply, entry);
  merge_into_older(one, pending);
  end(one, AbortedBy::kNothing, entry.number, entry.last);
}

/// A nested MAIL that is refused changes nothing (RFC 5321 4.1.4): what a pipelining client sent
/// behind it belongs to the transaction that is open already.
void TransactionTracker::merge_into_older(UnderWay& refused, PendingExchanges& pending) {
  UnderWay* older = nullptr;
  for (const std::unique_ptr<UnderWay>& one : under_way_) {
    if (one.get() == &refused) break;
    if (one->left_by == Verb::kUnknown && !one->transaction.data_sent) older = one.get();
  }
  if (older == nullptr) return;
  Transaction& into = older->transaction;
  Transaction& from = refused.transaction;
  pending.move_to(from.number, into.number, static_cast<std::uint32_t>(into.recipients.size()));
  for (Recipient& recipient : from.recipients) {
    into.envelope_hash = with_recipient(into.envelope_hash, recipient.path);
    if (into.recipients.size() < Transaction::kKeptRecipients) {
      into.recipients.push_back(std::move(recipient));
    }
  }
  into.rcpt_sent += from.rcpt_sent;
  if (from.data_verb != Verb::kUnknown) into.data_verb = from.data_verb;
  older->left_by = refused.left_by;
  from.recipients.clear();
  from.rcpt_sent = 0;
  from.data_verb = Verb::kUnknown;
}

void TransactionTracker::on_rcpt_reply(UnderWay& one, const Reply& reply, const Entry& entry,
                                       const PendingExchange& answered, const SessionState& state) {
  Transaction& txn = one.transaction;
  if (answered.recipient < txn.recipients.size()) {
    txn.recipients[answered.recipient].code = reply.code;
  }
  if (reply.first_digit() == 2) {
    ++txn.rcpt_accepted;
    txn.refused_at = 0;
  } else {
    ++txn.rcpt_refused;
    note_refusal(txn, reply, entry);
    if (all_refused(txn)) txn.refused_at = entry.number;
    if (txn.data_sent && owes_no_final(txn, state)) {
      end(one, AbortedBy::kNothing, entry.number, entry.last);
    }
  }
}

void TransactionTracker::on_final_reply(UnderWay& one, const Reply& reply, const Entry& entry,
                                        SessionState& state) {
  Transaction& txn = one.transaction;
  if (reply.code == 421 && !txn.data_sent) {
    // It answers no message: there was no end of one, and the session is over (RFC 5321 3.8).
    end(one, AbortedBy::k421, entry.number, entry.last);
    return;
  }
  if (reply.ordinal == 0) {
    // Exim's PRDR answers 353, then once per accepted recipient, then for all.
    one.prdr = reply.code == 353;
    one.per_recipient = one.prdr || state.hello == SessionState::Hello::kLhlo;
  }
  const std::uint64_t in_all = one.prdr            ? txn.rcpt_accepted + 2
                               : one.per_recipient ? std::max<std::uint64_t>(1, txn.rcpt_accepted)
                                                   : 1;
  const bool for_all = one.prdr && (reply.ordinal == 0 || reply.ordinal + 1 >= in_all);
  if (one.per_recipient && !for_all) {
    // RFC 2033 4.2: in the order of the accepted RCPTs.
    ++txn.finals;
    if (reply.first_digit() == 2) ++txn.finals_accepted;
    std::uint64_t nth = reply.ordinal - (one.prdr ? 1 : 0);
    for (Recipient& recipient : txn.recipients) {
      if (recipient.code / 100 != 2) continue;
      if (nth-- == 0) {
        recipient.final_code = reply.code;
        break;
      }
    }
  }
  if (reply.ordinal + 1 < in_all && reply.code != 421) return;

  one.has_final = true;
  txn.final_code = reply.code;
  keep(txn.final_text, reply.last_text());
  txn.final_entry = entry.number;
  txn.final_undelivered = entry.undelivered;
  if (!one.per_recipient) {
    txn.finals = 1;
    txn.finals_accepted = reply.first_digit() == 2 ? 1 : 0;
    for (Recipient& recipient : txn.recipients) {
      if (recipient.code / 100 == 2) recipient.final_code = reply.code;
    }
  }
  if (txn.finals_accepted > 0) ++state.messages_completed;
  // The reply may come before the end that it answers; then the message's facts are still to come.
  if (txn.data_sent) {
    end(one, reply.code == 421 ? AbortedBy::k421 : AbortedBy::kNothing, entry.number, entry.last);
  }
}

void TransactionTracker::on_hangup(const Entry& entry) {
  while (!under_way_.empty()) {
    end(*under_way_.front(), AbortedBy::k421, entry.number, entry.last);
  }
}

void TransactionTracker::end_all(AbortedBy cause, Time time) {
  while (!under_way_.empty()) {
    UnderWay& one = *under_way_.front();
    // Who said QUIT gave it up then, whatever became of the connection.
    end(one, one.left_by == Verb::kQuit ? AbortedBy::kQuit : cause, 0, time);
  }
}

void TransactionTracker::leave_open(Time time) {
  while (!under_way_.empty()) {
    UnderWay& one = *under_way_.front();
    const bool decided = one.has_final;
    end(one, AbortedBy::kNothing, 0, time);
    if (!decided) ended_.back()->transaction.outcome = Outcome::kOpen;
  }
}

void TransactionTracker::end_before(Exchange exchange, AbortedBy cause, std::uint64_t entry,
                                    Time time) {
  while (!under_way_.empty() && under_way_.front()->mail < exchange) {
    end(*under_way_.front(), cause, entry, time);
  }
}

void TransactionTracker::end(UnderWay& one, AbortedBy cause, std::uint64_t entry, Time time) {
  Transaction& txn = one.transaction;
  txn.last_entry = entry;
  txn.ended = time;
  txn.aborted_by = cause;
  txn.outcome =
      one.has_final ? outcome_by_finals(txn, one.per_recipient) : outcome_without_final(txn, cause);
  const auto place = std::ranges::find_if(
      under_way_, [&](const std::unique_ptr<UnderWay>& each) { return each.get() == &one; });
  assert(place != under_way_.end());
  ended_.push_back(std::move(*place));
  under_way_.erase(place);
}

}  // namespace smtpscope
