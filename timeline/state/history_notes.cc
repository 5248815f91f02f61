#include "timeline/state/history_notes.h"

#include <chrono>
#include <string>

#include "timeline/state/envelope_hash.h"

namespace smtpscope {
namespace {

/// Delays from here on are remembered: those of resolvers that did not answer
/// (dns-timeout-signature).
constexpr Duration kSlow = std::chrono::seconds(1);

bool asks_the_resolver(Verb verb) {
  switch (verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
    case Verb::kMail:
    case Verb::kRcpt:
      return true;
    default:
      return false;
  }
}

}  // namespace

void remember_tls(SessionId session, const SessionState& state, RunHistory& history) {
  bool agreed = false, failed = false;
  if (const TlsEnds* ends = state.tls_ends.get()) {
    const TlsFacts* client = ends->facts(Side::kClient);
    if (client == nullptr) return;
    agreed = client->completed && !state.silent_in_tls();
    failed = !agreed;
  } else if (const TlsState* tls = state.tls_state.get()) {
    constexpr std::uint8_t kFatal = 2;  // RFC 8446 6
    agreed = tls->secured[0].has_value() && tls->secured[1].has_value();
    failed = !agreed && tls->alert_level == kFatal;
  }
  if (state.client_host.empty() || agreed == failed) return;
  history.client(state.client_host).tls_failed_session = failed ? session : 0;
}

std::uint64_t deferral_triple(std::string_view client_host, std::string_view reverse_path,
                              std::string_view forward_path) {
  return with_recipient(with_recipient(sender_hash(client_host), reverse_path), forward_path);
}

MessageRecord message_record(const Transaction& transaction, SessionId session,
                             const SessionState& state) {
  MessageRecord record{.session = session,
                       .transaction = transaction.number,
                       .ended = transaction.ended,
                       .digest = transaction.facts.digest,
                       .octets = transaction.facts.octets,
                       .lines = transaction.facts.lines,
                       .message_id = transaction.facts.header.message_id,
                       .sender = sender_hash(transaction.reverse_path),
                       .client = state.client_hash,
                       .server = state.server_hash,
                       .reply_wait = transaction.ended - transaction.data_ended,
                       .reply_lost = transaction.final_undelivered};
  for (const Recipient& recipient : transaction.recipients) {
    if (record.recipient_count == MessageRecord::kKeptRecipients) break;
    // RFC 2033 4.2: LMTP may still refuse the message for a recipient that it accepted.
    if ((recipient.final_code != 0 ? recipient.final_code : recipient.code) / 100 != 2) continue;
    record.recipients[record.recipient_count++] = sender_hash(recipient.path);
  }
  return record;
}

void remember_transaction(const Transaction& ended, SessionId session, const SessionState& state,
                          RunHistory& history) {
  // How chunks came is not counted: their commands part them anyway.
  if (ended.data_sent && ended.data_reads > 0) {
    ClientRecord& client = history.client(state.client_host);
    ++(ended.data_reads == 1 ? client.burst_messages : client.slow_messages);
  }
  if (ended.finals_accepted > 0) history.add_message(message_record(ended, session, state));
}

void remember_delay(const Entry& reply, SessionId session, const SessionState& state,
                    RunHistory& history) {
  if (!reply.think || *reply.think < kSlow) return;
  ClientRecord& client = history.client(state.client_host);
  if (client.slow_session != session) client.slow_reply_before = client.slow_reply;
  client.slow_reply = *reply.think;
  client.slow_session = session;
}

void remember_reply(const Reply& reply, const Entry& entry, const PendingExchange& answered,
                    const SessionView& view, RunHistory& history) {
  const auto& [session, state, transactions, conversation] = view;
  if (answered.kind != Answers::kCommand || !asks_the_resolver(answered.verb)) return;
  remember_delay(entry, session, state, history);
  const bool accepted = reply.first_digit() == 2;
  if (answered.verb == Verb::kRcpt) {
    if (accepted && !history.has_deferrals()) return;
    const Transaction* txn = transactions.find(answered.transaction);
    if ((reply.first_digit() != 4 && !accepted) || txn == nullptr) return;
    if (answered.recipient >= txn->recipients.size()) return;
    const std::string& path = txn->recipients[answered.recipient].path;
    const std::uint64_t triple = deferral_triple(state.client_host, txn->reverse_path, path);
    if (accepted) {
      history.forget_deferral(triple);
      return;
    }
    history.add_deferral(
        {.triple = triple, .session = session, .time = entry.last, .code = reply.code});
    return;
  }
  if (answered.verb == Verb::kMail || !accepted) return;
  ClientRecord& client = history.client(state.client_host);
  if (client.hello_session != session) client.hello_hash_before = client.hello_hash;
  client.hello_hash = sender_hash(state.last_hello.name);
  client.hello_session = session;
  if (conversation.capabilities().has("STARTTLS"))
    history.server(state.upstream).starttls_session = session;
}

}  // namespace smtpscope
