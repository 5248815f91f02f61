#include "timeline/state/run_history.h"

#include <algorithm>

namespace smtpscope {

ClientRecord& RunHistory::client(std::string_view host) {
  if (const auto known = by_host_.find(host); known != by_host_.end()) {
    clients_.splice(clients_.begin(), clients_, known->second);
    return known->second->record;
  }
  if (clients_.size() == kMaxClients) {
    by_host_.erase(clients_.back().host);
    clients_.pop_back();
  }
  clients_.push_front({.host = std::string(host), .record = {}});
  by_host_.emplace(clients_.front().host, clients_.begin());
  return clients_.front().record;
}

const ClientRecord* RunHistory::find_client(std::string_view host) const {
  const auto known = by_host_.find(host);
  return known == by_host_.end() ? nullptr : &known->second->record;
}

void RunHistory::session_opened(std::string_view host, Time time) {
  ClientRecord& record = client(host);
  record.opens[record.sessions % ClientRecord::kKeptOpens] = time;
  ++record.sessions;
  ++record.open;
  record.at_new_most = record.open > record.most_open;
  record.most_open = std::max(record.most_open, record.open);
}

void RunHistory::session_closed(std::string_view host) {
  ClientRecord& record = client(host);
  if (record.open > 0) --record.open;  // it may have been forgotten meanwhile
}

bool RunHistory::another_was_spared(std::string_view host, Duration delay, Duration spread) const {
  return std::ranges::any_of(clients_, [&](const NamedClient& other) {
    if (other.host == host || other.record.hello_session == 0) return false;
    const Duration off = other.record.slow_reply - delay;
    return off > spread || off < -spread;
  });
}

ServerRecord& RunHistory::server(std::string_view name) {
  if (const auto known = servers_.find(name); known != servers_.end()) return known->second;
  if (servers_.size() >= kMaxServers) servers_.clear();
  return servers_[std::string(name)];
}

const ServerRecord* RunHistory::find_server(std::string_view name) const {
  const auto known = servers_.find(name);
  return known == servers_.end() ? nullptr : &known->second;
}

void RunHistory::add_message(const MessageRecord& message) {
  const auto count = [this](const MessageRecord& record, int change) {
    const auto add = [&](std::uint64_t key) {
      slots_[key % kSlots] = static_cast<std::uint16_t>(slots_[key % kSlots] + change);
    };
    add(record.digest);
    if (record.message_id != 0) add(record.message_id);
  };
  if (messages_.size() == kMaxMessages) count(messages_[next_message_], -1);
  count(message, 1);
  put(messages_, next_message_, message, kMaxMessages);
}

namespace {

/// Octets of a message that has a header and says something.
constexpr std::uint64_t kLeastToTellApart = 24;

}  // namespace

const MessageRecord* RunHistory::find_duplicate(const MessageRecord& message, Time since) const {
  if (!may_know(message.digest, message.message_id)) return nullptr;
  const MessageRecord* found = nullptr;
  for (const MessageRecord& other : messages_) {
    if (other.ended < since || (found != nullptr && other.ended < found->ended)) continue;
    if (is_relay_hop(other, message) || !recipients_in_common(other, message)) continue;
    const bool same_id = message.message_id != 0 && other.message_id == message.message_id;
    // Without a Message-ID the sender has to be the same, too, and there has to be enough to tell
    // two messages apart by: devices and tests say the same few words again and again.
    const bool same_words = message.octets >= kLeastToTellApart && other.sender == message.sender &&
                            same_content(other, message);
    if (same_id || same_words) found = &other;
  }
  return found;
}

const DeferralRecord* RunHistory::find_deferral(std::uint64_t triple) const {
  const DeferralRecord* found = nullptr;
  for (const DeferralRecord& each : deferrals_) {
    if (each.triple == triple && (found == nullptr || each.time >= found->time)) found = &each;
  }
  return found;
}

void RunHistory::forget_deferral(std::uint64_t triple) {
  for (DeferralRecord& each : deferrals_) {
    if (each.triple == triple) each = DeferralRecord{};
  }
}

bool is_relay_hop(const MessageRecord& earlier, const MessageRecord& later) {
  // Several programs of one host that speak with each other have one address in all roles.
  return earlier.server == later.client && earlier.server != earlier.client &&
         later.server != later.client;
}

bool same_content(const MessageRecord& a, const MessageRecord& b) {
  return a.octets == b.octets && a.lines == b.lines && a.digest == b.digest;
}

bool recipients_in_common(const MessageRecord& a, const MessageRecord& b) {
  const auto first = a.recipients.begin();
  const auto last = first + static_cast<std::ptrdiff_t>(a.recipient_count);
  for (std::size_t i = 0; i < b.recipient_count; ++i) {
    if (std::find(first, last, b.recipients[i]) != last) return true;
  }
  return false;
}

}  // namespace smtpscope
