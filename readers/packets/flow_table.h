#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "readers/packets/flow_session.h"
#include "readers/packets/session_ledger.h"
#include "readers/packets/tcp_connection.h"
#include "readers/packets/tcp_segment.h"

namespace smtpscope {

/// The TCP connections of a capture that may still go on. Bounded in number; what is idle for long,
/// and what is over, is forgotten. Not thread-safe.
class FlowTable {
 public:
  /// Connections that are followed at a time; beyond, the one that is idle for the longest time is
  /// given up. More than any mail server keeps open; an idle one takes half a kilobyte.
  static constexpr std::size_t kMaxFlows = 32 * 1024;
  /// RFC 5321 4.5.3.2: nobody waits for more than ten minutes.
  static constexpr Duration kIdle = std::chrono::hours(1);
  /// A connection that is over: for so long its stray packets are known for what they are.
  static constexpr Duration kAfterEnd = std::chrono::seconds(60);
  /// A connection that one side has reset: what the other had sent before it knew has come by then.
  static constexpr Duration kAfterReset = std::chrono::seconds(2);

  explicit FlowTable(SessionLedger& ledger);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  void take(const TcpSegment& segment, Time now);
  /// Nothing more comes.
  void finish(Time now);

  /// Connections given up while they may have gone on, because there were too many.
  std::uint64_t given_up() const { return given_up_; }

 private:
  /// Both ends, the lower one first.
  struct Key {
    std::array<ConnectionEnd, 2> ends;
    bool operator==(const Key&) const = default;
  };
  /// Seeded: whoever makes a file must not choose which flows collide.
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const;
  };
  enum class Shelf : std::uint8_t { kOpen, kReset, kOver };
  /// Whose being found to speak SMTP would show an undecided flow.
  enum class Awaits : std::uint8_t {
    kNobody,  // it is decided
    kLower,   // the end that was asked for service
    kHigher,
    kEither,  // nobody saw who opened it
  };
  struct Flow {
    Flow(const Key& ends, SessionLedger& ledger, Time now, std::uint64_t packet)
        : key(ends), session(ends.ends, connection, ledger, now), last(now), first_packet(packet) {}
    Key key;
    TcpConnection connection;
    FlowSession session;
    Shelf shelf = Shelf::kOpen;       // that it stands on
    Awaits awaits = Awaits::kNobody;  // as it is in awaiting_
    Time last;                        // packet
    std::uint64_t first_packet;       // its number
  };
  using Flows = std::list<Flow>;  // longest idle first

  /// Where it belongs, now that its session stands as it does.
  static Shelf shelf_for(const Flow& flow);
  void put_last(Flows::iterator flow);
  Flows& shelf(Shelf which) { return shelves_[static_cast<std::size_t>(which)]; }
  void expire(Time now);
  void forget(Flows& flows, bool at_end);
  void erase(Flows& from, Flows::iterator flow);
  void number_sessions(Flow& recognised);

  /// Undecided flows by the end that they await, those with a known opener (true) apart.
  using Awaiting = std::set<std::tuple<ConnectionEnd, bool, Flow*>>;
  static Awaits awaits(const Flow& flow);
  void set_awaits(Flow& flow, Awaits awaits);
  void add_awaiting(const ConnectionEnd& server, bool opener_known, std::vector<Flow*>& flows);

  SessionLedger& ledger_;
  std::unordered_map<Key, Flows::iterator, Hash> flows_;
  std::array<Flows, 3> shelves_;
  Awaiting awaiting_;
  std::uint64_t packets_ = 0;
  std::uint64_t given_up_ = 0;
};

}  // namespace smtpscope
