#include "timeline/state/session_changes.h"

#include <algorithm>

#include "timeline/state/envelope_hash.h"

namespace smtpscope {
namespace {

using Hello = SessionState::Hello;

void apply_accepted(Verb verb, std::uint16_t code, SessionState& state) {
  switch (verb) {
    case Verb::kHelo:
      state.hello = Hello::kHelo;
      break;
    case Verb::kEhlo:
      state.hello = Hello::kEhlo;
      break;
    case Verb::kLhlo:
      state.hello = Hello::kLhlo;
      break;
    case Verb::kAuth:
    case Verb::kXexps:
      if (code == 235) state.authenticated = true;
      break;
    case Verb::kStartTls:
    case Verb::kXanonymousTls:
      if (code != 220) break;
      // RFC 3207 4.2: both sides forget what they knew of each other.
      state.encrypted = true;
      state.tls = !state.fidelity.inside_tls;
      state.hello = Hello::kNone;
      state.authenticated = false;
      break;
    case Verb::kXclient:
      // XCLIENT_README: back to the state after the greeting.
      if (code == 220) state.hello = Hello::kNone;
      break;
    case Verb::kQuit:
      state.quit_answered = true;
      break;
    default:
      break;
  }
}

std::uint64_t first_domain(const Transaction& txn) {
  return txn.recipients.empty() ? 0 : domain_hash(txn.recipients.front().path);
}

}  // namespace

void apply_reply(const Reply& reply, const Entry& entry, const PendingExchange* answered,
                 SessionState& state) {
  using Greeting = SessionState::Greeting;
  if (reply.answers == Answers::kGreeting) {
    state.greeting = reply.first_digit() == 2 ? Greeting::kOk : Greeting::kRefused;
    state.turned_away = entry.by_proxy && state.greeting == Greeting::kRefused;
  }
  // Postfix takes 521 for the same as 421: the server will hang up.
  if ((reply.code == 421 || reply.code == 521) && state.hangup_code == 0) {
    state.hangup_code = reply.code;
    state.hangup_entry = entry.number;
  }
  if (answered == nullptr || reply.first_digit() != 2) return;
  if (answered->kind == Answers::kCommand || answered->kind == Answers::kAuthResponse) {
    apply_accepted(answered->verb, reply.code, state);
  }
}

void note_tls_never_came(SessionState& state) {
  state.tls = false;
  state.fidelity.inside_tls = true;
}

void note_round_trip(const Entry& reply, const PendingExchange& answered, SessionState& state) {
  if (state.rtt_measured) return;
  const Duration sample = reply.first - answered.last;
  if (sample < Duration::zero()) return;
  state.rtt_s = std::min(state.rtt_s.value_or(sample), sample);
}

TransactionSummary summary_of(const Transaction& txn, const PendingExchange* rset, Time reply_at) {
  TransactionSummary summary{.number = txn.number,
                             .first_entry = txn.first_entry,
                             .last_entry = txn.last_entry,
                             .began = txn.began,
                             .ended = txn.ended,
                             .envelope_hash = txn.envelope_hash,
                             .sender_hash = sender_hash(txn.reverse_path),
                             .domain_hash = first_domain(txn),
                             .parameters = txn.parameters,
                             .rcpt_sent = txn.rcpt_sent,
                             .rcpt_accepted = txn.rcpt_accepted,
                             .rcpt_refused = txn.rcpt_refused,
                             .octets = txn.facts.octets,
                             .data_verb = txn.data_verb,
                             .mail_code = txn.mail_code,
                             .refusal_code = txn.refusal_code,
                             .final_code = txn.final_code,
                             .data_sent = txn.data_sent,
                             .final_undelivered = txn.final_undelivered,
                             .null_sender = txn.reverse_path.empty(),
                             .outcome = txn.outcome,
                             .aborted_by = txn.aborted_by};
  if (rset != nullptr) {
    summary.rsets_since = 1;
    summary.first_rset = rset->first;
    summary.last_rset_reply = reply_at;
  }
  return summary;
}

void note_idle_rset(const PendingExchange& rset, Time reply_at, SessionState& state) {
  TransactionSummary* previous = state.previous.get();
  // Only up to the next MAIL, and only if a RSET was what ended it.
  if (previous == nullptr || previous->rsets_since == 0) return;
  if (state.transactions > previous->number) return;
  if (++previous->rsets_since == 2)
    previous->first_rset_spacing = rset.first - previous->first_rset;
  previous->last_rset_reply = reply_at;
}

}  // namespace smtpscope
