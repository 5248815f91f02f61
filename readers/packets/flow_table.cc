#include "readers/packets/flow_table.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <random>
#include <utility>
#include <vector>

namespace smtpscope {
namespace {

/// The finaliser of SplitMix64.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
  value = (value ^ value >> 27) * 0x94D049BB133111EB;
  return value ^ value >> 31;
}

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

std::size_t FlowTable::Hash::operator()(const Key& key) const {
  std::uint64_t hash = seed;
  for (const ConnectionEnd& end : key.ends) {
    std::array<std::uint64_t, 2> words;
    std::memcpy(words.data(), end.address.octets.data(), sizeof words);
    hash = mix(hash ^ words[0]);
    if (end.address.v6) hash = mix(hash + words[1]);
    hash += end.port;
  }
  return static_cast<std::size_t>(mix(hash));
}

FlowTable::FlowTable(SessionLedger& ledger) : ledger_(ledger), flows_(1024, Hash{random_seed()}) {}

FlowTable::~FlowTable() = default;

FlowTable::Shelf FlowTable::shelf_for(const Flow& flow) {
  switch (flow.session.stage()) {
    case FlowSession::Stage::kLingering:
      return Shelf::kReset;
    case FlowSession::Stage::kDone:
      return Shelf::kOver;
    default:
      return Shelf::kOpen;
  }
}

void FlowTable::take(const TcpSegment& segment, Time now) {
  ++packets_;
  expire(now);
  const ConnectionEnd source{segment.source, segment.source_port};
  const ConnectionEnd destination{segment.destination, segment.destination_port};
  const Peer from = source <= destination ? Peer::kLower : Peer::kHigher;
  Key key;
  key.ends[index(from)] = source;
  key.ends[index(other(from))] = destination;

  auto found = flows_.find(key);
  if (found != flows_.end() && found->second->connection.is_succeeded_by(segment, from)) {
    Flow& old = *found->second;
    old.connection.flush(now, old.session);
    old.session.end(false);
    erase(shelf(old.shelf), found->second);
    found = flows_.end();
  }
  if (found == flows_.end()) {
    if (segment.rst && !segment.syn) return;  // of a connection that nothing is known of
    Flows& open = shelf(Shelf::kOpen);
    open.emplace_back(key, ledger_, now, packets_);
    found = flows_.emplace(key, std::prev(open.end())).first;
  }
  Flow& flow = *found->second;
  flow.last = std::max(flow.last, now);
  if (shelf_for(flow) != Shelf::kOver) {
    flow.connection.take(segment, from, now, flow.session);
    flow.session.on_packet();
    set_awaits(flow, awaits(flow));
    if (flow.session.stage() == FlowSession::Stage::kRecognised) number_sessions(flow);
    if (shelf_for(flow) == Shelf::kOver) flow.connection.close();
  }
  put_last(found->second);
}

/// It has just had a packet: behind all others of its shelf.
void FlowTable::put_last(Flows::iterator flow) {
  Flows& from = shelf(flow->shelf);
  flow->shelf = shelf_for(*flow);
  Flows& to = shelf(flow->shelf);
  to.splice(to.end(), from, flow);
}

FlowTable::Awaits FlowTable::awaits(const Flow& flow) {
  if (flow.session.stage() != FlowSession::Stage::kUndecided) return Awaits::kNobody;
  const std::optional<Peer> opener = flow.connection.opener();
  if (!opener) return Awaits::kEither;
  return other(*opener) == Peer::kLower ? Awaits::kLower : Awaits::kHigher;
}

void FlowTable::set_awaits(Flow& flow, Awaits awaits) {
  if (flow.awaits == awaits) return;
  const auto each_key = [&flow](Awaits of, auto&& act) {
    const bool opener_known = of != Awaits::kEither;
    for (const Peer end : {Peer::kLower, Peer::kHigher}) {
      const Awaits only = end == Peer::kLower ? Awaits::kLower : Awaits::kHigher;
      if (of == only || of == Awaits::kEither) {
        act(Awaiting::key_type(flow.key.ends[index(end)], opener_known, &flow));
      }
    }
  };
  each_key(flow.awaits, [this](const Awaiting::key_type& key) { awaiting_.erase(key); });
  each_key(awaits, [this](const Awaiting::key_type& key) { awaiting_.insert(key); });
  flow.awaits = awaits;
}

void FlowTable::add_awaiting(const ConnectionEnd& server, bool opener_known,
                             std::vector<Flow*>& flows) {
  for (auto at = awaiting_.lower_bound({server, opener_known, nullptr}); at != awaiting_.end();
       ++at) {
    const auto& [end, known, flow] = *at;
    if (end != server || known != opener_known) return;
    const std::optional<Peer> presumed = flow->session.presumed_server();
    if (presumed && flow->session.endpoint(*presumed) == server) flows.push_back(flow);
  }
}

/// A server has shown that it speaks SMTP: so do its other connections. Those that began before
/// come first.
void FlowTable::number_sessions(Flow& recognised) {
  const std::optional<ConnectionEnd> server = recognised.session.recognised_server();
  if (!server) {
    recognised.session.show();
    return;
  }
  const bool is_new = ledger_.learn_server(*server);
  std::vector<Flow*> flows;
  add_awaiting(*server, true, flows);
  // Of the others those that it concerns were shown when it was learnt, or with their own packets
  // since. To walk over what is left again and again would take the square of their number.
  if (is_new) add_awaiting(*server, false, flows);
  flows.push_back(&recognised);
  std::ranges::sort(flows, {}, &Flow::first_packet);
  for (Flow* flow : flows) {
    flow->session.show();
    set_awaits(*flow, Awaits::kNobody);
  }
}

void FlowTable::expire(Time now) {
  const auto expire_from = [&](Shelf which, Duration idle) {
    Flows& flows = shelf(which);
    while (!flows.empty() && now - flows.front().last > idle) forget(flows, false);
  };
  expire_from(Shelf::kOpen, kIdle);
  expire_from(Shelf::kReset, kAfterReset);
  expire_from(Shelf::kOver, kAfterEnd);
  while (flows_.size() > kMaxFlows) {
    if (!shelf(Shelf::kOver).empty()) {
      forget(shelf(Shelf::kOver), false);
    } else if (!shelf(Shelf::kReset).empty()) {
      forget(shelf(Shelf::kReset), false);
    } else {
      ++given_up_;
      forget(shelf(Shelf::kOpen), false);
    }
  }
}

/// The flow that is idle for the longest time.
void FlowTable::forget(Flows& flows, bool at_end) {
  Flow& flow = flows.front();
  flow.connection.flush(flow.last, flow.session);
  flow.session.end(at_end);
  erase(flows, flows.begin());
}

void FlowTable::erase(Flows& from, Flows::iterator flow) {
  set_awaits(*flow, Awaits::kNobody);
  flows_.erase(flow->key);
  from.erase(flow);
}

void FlowTable::finish(Time now) {
  // In the order of their beginnings, so that the last sessions get the numbers due to them.
  std::vector<Flow*> flows;
  for (Flows& shelf : shelves_) {
    for (Flow& flow : shelf) flows.push_back(&flow);
  }
  std::ranges::sort(flows, {}, &Flow::first_packet);
  for (Flow* flow : flows) {
    flow->connection.flush(now, flow->session);
    flow->session.end(true);
  }
  awaiting_.clear();
  flows_.clear();
  for (Flows& shelf : shelves_) shelf.clear();
}

}  // namespace smtpscope
