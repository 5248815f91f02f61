#include "diff/taps/taps_matching.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "diff/chained_hash.h"

namespace smtpscope {
namespace {

/// Of things that look the same, so many pairs are looked at to see which offset they agree on.
constexpr std::size_t kPairsOfKey = 40'000;
constexpr std::size_t kPairsInAll = 400'000;
/// Offsets that agree: connecting and waiting take less, mostly.
constexpr Duration kAgreeing = std::chrono::seconds(1);
constexpr Duration kSameWidth = std::chrono::milliseconds(1);
/// Rounds of giving each its nearest. More than a few are needed only where no offset fits; then
/// order decides.
constexpr int kNearestRounds = 4;
/// So many transactions of one envelope are looked at to see whether they are parts of a session.
constexpr int kMostJoined = 64;
/// Sessions that share little besides the time they were opened at: not further apart than this.
constexpr Duration kSameTime = std::chrono::seconds(2);
constexpr Duration kSameTimeOfHello = std::chrono::seconds(60);

/// Something that may be seen at both taps: a transaction, or a session as a whole.
struct TapsTrait {
  std::size_t session = 0;
  std::uint64_t key = 0;
  Duration when{};  // by the clock of its run
};

/// One run's side of the matching.
struct TapsSide {
  explicit TapsSide(const RunRecord& of) : run(of), linked(of.sessions.size()) {}

  const RunRecord& run;
  std::vector<bool> linked;  // the session has a counterpart

  std::vector<TapsTrait> traits(TapsMatchedBy by) const {
    std::vector<TapsTrait> found;
    for (std::size_t i = 0; i < run.sessions.size(); ++i) add_traits(by, i, found);
    std::ranges::stable_sort(found, {}, &TapsTrait::when);
    return found;
  }

  /// What the client said in a session, each thing once; how it leaves says nothing.
  std::set<std::string_view> words_of(std::size_t session) const {
    std::set<std::string_view> words;
    for (const ExchangeRecord& each : run.sessions[session].exchanges) {
      const std::string_view text = run.commands.text(each.text);
      if (each.verb != Verb::kQuit && !text.empty()) words.insert(text);
    }
    return words;
  }

 private:
  std::uint64_t text_hash(const ExchangeRecord& exchange) const {
    return std::hash<std::string_view>()(run.commands.text(exchange.text));
  }

  void add_traits(TapsMatchedBy by, std::size_t i, std::vector<TapsTrait>& found) const {
    const SessionRecord& session = run.sessions[i];
    switch (by) {
      case TapsMatchedBy::kMessage:
        for (const TransactionRecord& each : session.transactions) {
          if (each.has_data) add(i, message_key(each), begin_of(session, each), found);
        }
        return;
      case TapsMatchedBy::kEnvelope:
        for (const TransactionRecord& each : session.transactions) {
          if (each.rcpt_sent > 0) add(i, each.envelope_hash, begin_of(session, each), found);
        }
        return;
      case TapsMatchedBy::kDialogue:
        add(i, dialogue_key(session), session.began, found);
        return;
      case TapsMatchedBy::kHello:
        add(i, hello_key(session), session.began, found);
        return;
      case TapsMatchedBy::kTime:
        add(i, 1, session.began, found);
        return;
    }
  }

  void add(std::size_t i, std::uint64_t key, Time when, std::vector<TapsTrait>& found) const {
    if (key != 0) found.push_back({i, key, wall_of(run, when)});
  }

  static Time begin_of(const SessionRecord& session, const TransactionRecord& transaction) {
    return session.exchanges[transaction.first].first;
  }

  /// A Message-ID stays where header fields are added above it; without one the content has to do.
  static std::uint64_t message_key(const TransactionRecord& transaction) {
    const MessageFacts& facts = transaction.facts;
    if (facts.header.message_id != 0) return facts.header.message_id;
    return chained_hash(chained_hash(facts.digest, facts.octets), facts.lines);
  }

  /// All that the client said, what is inside TLS by its size.
  std::uint64_t dialogue_key(const SessionRecord& session) const {
    std::uint64_t key = 0;
    for (const ExchangeRecord& each : session.exchanges) {
      if (each.kind == ExchangeKind::kGreeting || each.kind == ExchangeKind::kUnasked) continue;
      key = chained_hash(key, text_hash(each));
      if (each.kind == ExchangeKind::kTls) key = chained_hash(key, each.octets);
    }
    return key;
  }

  std::uint64_t hello_key(const SessionRecord& session) const {
    for (const ExchangeRecord& each : session.exchanges) {
      if (each.verb == Verb::kEhlo || each.verb == Verb::kHelo || each.verb == Verb::kLhlo) {
        return text_hash(each);
      }
    }
    return 0;
  }
};

/// Those that look the same at one tap, as places in a list of traits that is in order of time.
using TraitsByKey = std::map<std::uint64_t, std::vector<std::size_t>>;

TraitsByKey places_by_key(const std::vector<TapsTrait>& traits) {
  TraitsByKey places;
  for (std::size_t i = 0; i < traits.size(); ++i) places[traits[i].key].push_back(i);
  return places;
}

/// The sets that sessions have been joined to.
class SessionSets {
 public:
  explicit SessionSets(std::size_t count) : parents_(count) {
    std::iota(parents_.begin(), parents_.end(), std::size_t{0});
  }
  std::size_t find(std::size_t i) {
    while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parents_[find(b)] = find(a); }

 private:
  std::vector<std::size_t> parents_;
};

class TapsMatcher {
 public:
  TapsMatcher(const RunRecord& near_client, const RunRecord& near_server)
      : client_(near_client),
        server_(near_server),
        sets_(near_client.sessions.size() + near_server.sessions.size()) {}

  TapsMatching run() {
    using enum TapsMatchedBy;
    estimate_offset();
    for (const TapsMatchedBy by : {kMessage, kEnvelope}) match(by);
    join_by_envelope();
    for (const TapsMatchedBy by : {kDialogue, kHello, kTime}) match(by);
    return gathered();
  }

 private:
  /// Where the offsets of all pairs that may be the same agree most.
  void estimate_offset() {
    std::vector<Duration> offsets;
    for (const TapsMatchedBy by :
         {TapsMatchedBy::kMessage, TapsMatchedBy::kEnvelope, TapsMatchedBy::kDialogue}) {
      gather_offsets(by, offsets);
    }
    if (offsets.empty()) gather_offsets(TapsMatchedBy::kHello, offsets);
    if (offsets.empty()) return;
    std::ranges::sort(offsets);
    std::size_t from = 0, most = 0;
    Duration narrowest{};
    for (std::size_t to = 0; to < offsets.size(); ++to) {
      while (offsets[to] - offsets[from] > kAgreeing) ++from;
      const std::size_t count = to - from + 1;
      const Duration width = offsets[to] - offsets[from], middle = offsets[from + count / 2];
      if (count < most) continue;
      // What recurs regularly agrees at several offsets, but best at the right one; where it is
      // regular to the millisecond, clocks are rarely far apart.
      const bool as_narrow = std::chrono::abs(width - narrowest) < kSameWidth;
      const bool better =
          count > most || !offset_ ||
          (as_narrow ? std::chrono::abs(middle) < std::chrono::abs(*offset_) : width < narrowest);
      if (!better) continue;
      most = count;
      narrowest = width;
      offset_ = middle;
    }
  }

  void gather_offsets(TapsMatchedBy by, std::vector<Duration>& offsets) const {
    const std::vector<TapsTrait> a = client_.traits(by), b = server_.traits(by);
    const TraitsByKey of_b = places_by_key(b);
    for (const auto& [key, places] : places_by_key(a)) {
      const auto found = of_b.find(key);
      if (found == of_b.end()) continue;
      // Where there are very many, some of them, from the first to the last.
      const std::size_t wanted = std::max<std::size_t>(8, kPairsOfKey / found->second.size());
      const std::size_t step = std::max<std::size_t>(1, places.size() / wanted);
      for (std::size_t i = 0; i < places.size(); i += step) {
        for (const std::size_t j : found->second) {
          if (offsets.size() >= kPairsInAll) return;
          offsets.push_back(b[j].when - a[places[i]].when);
        }
      }
    }
  }

  void match(TapsMatchedBy by) {
    const std::vector<TapsTrait> a = client_.traits(by), b = server_.traits(by);
    const TraitsByKey of_b = places_by_key(b);
    for (const auto& [key, places] : places_by_key(a)) {
      const auto found = of_b.find(key);
      if (found == of_b.end()) continue;
      pair_equals(by, {a, places}, {b, found->second});
    }
  }

  struct Equals {
    const std::vector<TapsTrait>& traits;
    std::vector<std::size_t> places;  // those that are free, in order of time
  };

  void pair_equals(TapsMatchedBy by, Equals a, Equals b) {
    if (by != TapsMatchedBy::kMessage) {
      // What says less must not join what is known better.
      drop_linked(client_, a);
      drop_linked(server_, b);
    }
    for (int round = 0; round < kNearestRounds && !a.places.empty() && !b.places.empty(); ++round) {
      if (!pair_nearest(by, a, b)) break;
    }
    if (most_apart(by)) return;
    for (std::size_t i = 0; i < std::min(a.places.size(), b.places.size()); ++i) {
      link(by, a.traits[a.places[i]], b.traits[b.places[i]]);
    }
  }

  /// How far apart in time what belongs together may be; empty where the key says enough.
  static std::optional<Duration> most_apart(TapsMatchedBy by) {
    if (by == TapsMatchedBy::kTime) return kSameTime;
    if (by == TapsMatchedBy::kHello) return kSameTimeOfHello;
    return std::nullopt;
  }

  bool may_be_same(TapsMatchedBy by, std::size_t near_client, std::size_t near_server,
                   Duration apart) const {
    const std::optional<Duration> most = most_apart(by);
    // One session in each run is hardly there by chance.
    const bool only_ones = client_.linked.size() == 1 && server_.linked.size() == 1;
    if (most && apart > *most && !only_ones) return false;
    return by != TapsMatchedBy::kTime || alike(near_client, near_server);
  }

  /// Half of what the one says the other says as well; or both say nothing.
  bool alike(std::size_t near_client, std::size_t near_server) const {
    const std::set<std::string_view> a = client_.words_of(near_client);
    const std::set<std::string_view> b = server_.words_of(near_server);
    const auto common = static_cast<std::size_t>(
        std::ranges::count_if(a, [&](std::string_view each) { return b.contains(each); }));
    return a.empty() || b.empty() ? a.empty() == b.empty()
                                  : common * 2 >= std::min(a.size(), b.size());
  }

  /// A session that has no counterpart of its own may be a part of a dialogue that is known: where
  /// a connection to the server serves several clients, or one client is given several. Then the
  /// server's transaction has the same envelope, and came while the client was there.
  void join_by_envelope() {
    if (!offset_) return;
    const std::vector<TapsTrait> a = client_.traits(TapsMatchedBy::kEnvelope);
    const std::vector<TapsTrait> b = server_.traits(TapsMatchedBy::kEnvelope);
    const TraitsByKey of_b = places_by_key(b);
    for (const TapsTrait& one : a) {
      const auto found = of_b.find(one.key);
      if (found == of_b.end()) continue;
      const Duration from = one.when + *offset_ - kAgreeing;
      const Duration to =
          wall_of(client_.run, client_.run.sessions[one.session].finished) + *offset_ + kAgreeing;
      auto place = std::ranges::lower_bound(found->second, from, {},
                                            [&](std::size_t at) { return b[at].when; });
      for (int looked_at = 0;
           place != found->second.end() && b[*place].when <= to && looked_at < kMostJoined;
           ++place, ++looked_at) {
        // Two that are both known are known better.
        if (client_.linked[one.session] == server_.linked[b[*place].session]) continue;
        link(TapsMatchedBy::kEnvelope, one, b[*place]);
      }
    }
  }

  static void drop_linked(const TapsSide& side, Equals& equals) {
    std::erase_if(equals.places,
                  [&](std::size_t place) { return side.linked[equals.traits[place].session]; });
  }

  /// Pairs those of which each is the other's nearest in time. False if there was none.
  bool pair_nearest(TapsMatchedBy by, Equals& a, Equals& b) {
    const Duration offset = offset_.value_or(Duration{});
    std::vector<std::size_t> of_a(a.places.size()), of_b(b.places.size());
    for (std::size_t i = 0; i < of_a.size(); ++i) {
      of_a[i] = nearest(b, a.traits[a.places[i]].when + offset);
    }
    for (std::size_t j = 0; j < of_b.size(); ++j) {
      of_b[j] = nearest(a, b.traits[b.places[j]].when - offset);
    }
    std::vector<bool> taken_b(b.places.size()), taken_a(a.places.size());
    bool any = false;
    for (std::size_t i = 0; i < of_a.size(); ++i) {
      const std::size_t j = of_a[i];
      if (of_b[j] != i) continue;
      const TapsTrait& one = a.traits[a.places[i]];
      const TapsTrait& other = b.traits[b.places[j]];
      const Duration apart = std::chrono::abs(other.when - offset - one.when);
      if (!may_be_same(by, one.session, other.session, apart)) continue;
      link(by, one, other);
      any = taken_a[i] = taken_b[j] = true;
    }
    const auto keep_free = [](std::vector<std::size_t>& places, const std::vector<bool>& taken) {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < places.size(); ++i) {
        if (!taken[i]) places[kept++] = places[i];
      }
      places.resize(kept);
    };
    keep_free(a.places, taken_a);
    keep_free(b.places, taken_b);
    return any;
  }

  /// Place in `among.places` of the one nearest to `when`.
  static std::size_t nearest(const Equals& among, Duration when) {
    const auto time_of = [&](std::size_t place) { return among.traits[place].when; };
    const auto after = std::ranges::lower_bound(among.places, when, {}, time_of);
    const auto at = static_cast<std::size_t>(after - among.places.begin());
    if (after == among.places.begin()) return at;
    if (after == among.places.end()) return at - 1;
    return when - time_of(*std::prev(after)) <= time_of(*after) - when ? at - 1 : at;
  }

  void link(TapsMatchedBy by, const TapsTrait& near_client, const TapsTrait& near_server) {
    client_.linked[near_client.session] = server_.linked[near_server.session] = true;
    const std::size_t b = client_.run.sessions.size() + near_server.session;
    sets_.join(near_client.session, b);
    surest_.try_emplace(near_client.session, by);
  }

  TapsMatching gathered() {
    TapsMatching matching;
    std::unordered_map<std::size_t, std::size_t> group_of;  // by set
    for (std::size_t i = 0; i < client_.linked.size(); ++i) {
      if (!client_.linked[i]) {
        matching.only_near_client.push_back(i);
        continue;
      }
      const auto [known, is_new] = group_of.try_emplace(sets_.find(i), matching.groups.size());
      if (is_new) matching.groups.push_back({{}, {}, surest_.at(i)});
      TapsGroup& group = matching.groups[known->second];
      group.near_client.push_back(i);
      group.by = std::min(group.by, surest_.at(i));
    }
    for (std::size_t j = 0; j < server_.linked.size(); ++j) {
      if (!server_.linked[j]) {
        matching.only_near_server.push_back(j);
        continue;
      }
      matching.groups[group_of.at(sets_.find(client_.linked.size() + j))].near_server.push_back(j);
    }
    return matching;
  }

  TapsSide client_, server_;
  SessionSets sets_;
  std::optional<Duration> offset_;  // the clock near the server is so far ahead, about
  std::unordered_map<std::size_t, TapsMatchedBy> surest_;  // by session near the client
};

}  // namespace

std::string_view to_string(TapsMatchedBy by) {
  constexpr std::array<std::string_view, 5> kNames = {"message", "envelope", "dialogue", "hello",
                                                      "time"};
  return kNames[static_cast<std::size_t>(by)];
}

TapsMatching match_taps(const RunRecord& near_client, const RunRecord& near_server) {
  return TapsMatcher(near_client, near_server).run();
}

}  // namespace smtpscope
