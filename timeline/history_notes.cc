#include "timeline/history_notes.h"

#include <chrono>
#include <string>

#include "timeline/envelope_hash.h"

namespace smtpscope {
namespace {

/// Delays from here on are remembered: those of resolvers that did not answer (rules 31).
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

std::uint64_t deferral_triple(std::string_view client_host, std::string_view reverse_path,
                              std::string_view forward_path) {
  return with_recipient(with_recipient(sender_hash(client_host), reverse_path), forward_path);
}

MessageRecord message_record(const Transaction& transaction, SessionId session) {
  MessageRecord record{.session = session,
                       .transaction = transaction.number,
                       .ended = transaction.ended,
                       .digest = transaction.facts.digest,
                       .octets = transaction.facts.octets,
                       .lines = transaction.facts.lines,
                       .message_id = transaction.facts.header.message_id};
  for (const Recipient& recipient : transaction.recipients) {
    if (recipient.code / 100 != 2 || record.recipient_count == MessageRecord::kKeptRecipients) {
      continue;
    }
    record.recipients[record.recipient_count++] = sender_hash(recipient.path);
  }
  return record;
}

void remember_transaction(const Transaction& ended, SessionId session, const SessionState& state,
                          RunHistory& history) {
  if (ended.data_sent) {
    ClientRecord& client = history.client(state.client_host);
    ++(ended.data_reads == 1 ? client.burst_messages : client.slow_messages);
  }
  if (ended.finals_accepted > 0) history.add_message(message_record(ended, session));
}

void remember_reply(const Reply& reply, const Entry& entry, const PendingExchange& answered,
                    const SessionView& view, RunHistory& history) {
  const auto& [session, state, transactions, conversation] = view;
  if (answered.kind != Answers::kCommand || !asks_the_resolver(answered.verb)) return;
  if (entry.think && *entry.think >= kSlow) {
    ClientRecord& client = history.client(state.client_host);
    client.slow_reply = *entry.think;
    client.slow_session = session;
  }
  const bool accepted = reply.first_digit() == 2;
  if (answered.verb == Verb::kRcpt) {
    const Transaction* txn = transactions.find(answered.transaction);
    if (reply.first_digit() != 4 || txn == nullptr) return;
    if (answered.recipient >= txn->recipients.size()) return;
    const std::string& path = txn->recipients[answered.recipient].path;
    history.add_deferral({.triple = deferral_triple(state.client_host, txn->reverse_path, path),
                          .session = session,
                          .time = entry.last,
                          .code = reply.code});
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
