#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "capture/wire_event.h"
#include "parser/message_facts.h"

namespace smtpscope {

/// What is remembered of the sessions of one client host.
struct ClientRecord {
  static constexpr std::size_t kKeptOpens = 16;

  std::uint64_t sessions = 0;  // opened so far
  std::uint32_t open = 0;      // now
  std::uint32_t most_open = 0;
  std::array<Time, kKeptOpens> opens{};  // when; a ring, newest at (sessions - 1) % kKeptOpens
  // Of the EHLO or HELO argument, in the last session that had one and in the one before; 0: none.
  std::uint64_t hello_hash = 0;
  std::uint64_t hello_hash_before = 0;
  SessionId hello_session = 0;
  // How its messages came: in one read, or in several (a program that writes line by line).
  std::uint32_t burst_messages = 0;
  std::uint32_t slow_messages = 0;
  // The last delay of a greeting, EHLO, MAIL or RCPT of 1 s or more, and the last one in a session
  // before that one's; 0: none.
  Duration slow_reply{};
  Duration slow_reply_before{};
  SessionId slow_session = 0;
  SessionId tls_failed_session = 0;  // whose TLS handshake failed, and none has succeeded since
  bool at_new_most = false;          // the last opening made `most_open` what it is
  /// When the k-th youngest opening was, 0 the youngest; `sessions` and kKeptOpens bound k.
  Time opened(std::size_t k) const { return opens[(sessions - 1 - k) % kKeptOpens]; }
};

/// What is remembered of a message that was accepted.
struct MessageRecord {
  static constexpr std::size_t kKeptRecipients = 8;

  SessionId session = 0;
  std::uint64_t transaction = 0;
  Time ended;
  std::uint64_t digest = 0, octets = 0, lines = 0;          // of its facts
  std::uint64_t message_id = 0;                             // 0: it has none
  std::uint64_t sender = 0;                                 // hash of the reverse-path
  std::uint64_t client = 0, server = 0;                     // hashes of the hosts, without ports
  std::array<std::uint64_t, kKeptRecipients> recipients{};  // hashes of forward-paths
  std::size_t recipient_count = 0;                          // of those kept
  Duration reply_wait{};    // from the end of the message to its final reply
  bool reply_lost = false;  // that reply came when the client was gone
};

/// A recipient that was deferred: RCPT answered 4yz.
struct DeferralRecord {
  std::uint64_t triple = 0;  // hash of client host, reverse-path, forward-path
  SessionId session = 0;
  Time time;
  std::uint16_t code = 0;
};

/// What is remembered of a server, by the name that the user gave it.
struct ServerRecord {
  SessionId starttls_session = 0;  // that offered STARTTLS last; 0: none did
};

/// What the sessions of a run tell about each other: for the rules that look across sessions.
/// Trackers write, rules read. One per run; bounded, the oldest is forgotten first. Not
/// thread-safe.
class RunHistory {
 public:
  static constexpr std::size_t kMaxClients = 1024;
  static constexpr std::size_t kMaxMessages = 256;
  static constexpr std::size_t kMaxDeferrals = 256;
  static constexpr std::size_t kMaxServers = 64;

  /// The record of a client host; made when it is not known. Valid until the next call.
  ClientRecord& client(std::string_view host);
  /// nullptr when it is not known.
  const ClientRecord* find_client(std::string_view host) const;
  void session_opened(std::string_view host, Time time);
  void session_closed(std::string_view host);
  /// Some other client has said hello without being kept waiting for `delay`, give or take
  /// `spread`.
  bool another_was_spared(std::string_view host, Duration delay, Duration spread) const;

  ServerRecord& server(std::string_view name);
  const ServerRecord* find_server(std::string_view name) const;

  void add_message(const MessageRecord& message);
  /// False: nothing like it was added. Quick, and says yes to some that were not.
  bool may_know(std::uint64_t digest, std::uint64_t message_id) const {
    return slots_[digest % kSlots] > 0 || (message_id != 0 && slots_[message_id % kSlots] > 0);
  }
  /// An earlier message with the same content or the same Message-ID, and a recipient in common;
  /// not older than `since`. The youngest; nullptr if there is none.
  const MessageRecord* find_duplicate(const MessageRecord& message, Time since) const;

  void add_deferral(const DeferralRecord& deferral) {
    put(deferrals_, next_deferral_, deferral, kMaxDeferrals);
  }
  /// The youngest of that triple; nullptr if there is none.
  const DeferralRecord* find_deferral(std::uint64_t triple) const;
  bool has_deferrals() const { return !deferrals_.empty(); }
  /// Its recipient was accepted at last.
  void forget_deferral(std::uint64_t triple);

 private:
  template <typename Record>
  static void put(std::vector<Record>& ring, std::size_t& next, const Record& record,
                  std::size_t most) {
    if (ring.size() < most) {
      ring.push_back(record);
      return;
    }
    ring[next] = record;
    next = (next + 1) % most;
  }

  struct NamedClient {
    std::string host;
    ClientRecord record;
  };
  using Clients = std::list<NamedClient>;  // the one seen last in front
  Clients clients_;
  std::unordered_map<std::string_view, Clients::iterator> by_host_;
  struct TextHash {
    using is_transparent = void;  // a view is enough to look a name up
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, ServerRecord, TextHash, std::equal_to<>> servers_;
  // Rings once they are full.
  std::vector<MessageRecord> messages_;
  /// How many of messages_ have a digest or Message-ID that falls into the slot: most messages have
  /// no equal, and that must be cheap to see.
  static constexpr std::size_t kSlots = 32768;  // some sixty to a key
  std::vector<std::uint16_t> slots_ = std::vector<std::uint16_t>(kSlots);
  std::size_t next_message_ = 0;
  std::vector<DeferralRecord> deferrals_;
  std::size_t next_deferral_ = 0;
};

/// The server that took `earlier` is the client that handed `later` in: the message is on its way
/// through relays, and has not been sent twice (RFC 5321 2.3.10).
bool is_relay_hop(const MessageRecord& earlier, const MessageRecord& later);
/// The same message, as far as the facts show: same size, lines, and first octets.
bool same_content(const MessageRecord& a, const MessageRecord& b);
bool recipients_in_common(const MessageRecord& a, const MessageRecord& b);

}  // namespace smtpscope
