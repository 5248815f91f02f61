#include "diff/runs/session_alignment.h"

#include <algorithm>
#include <functional>
#include <string>
#include <unordered_map>

#include "diff/alignment.h"

namespace smtpscope {
namespace {

/// A stretch of the exchanges of both sessions.
struct Segment {
  std::size_t before, before_end, after, after_end;
};

std::vector<std::uint64_t> envelopes_of(const SessionRecord& session) {
  std::vector<std::uint64_t> hashes;
  for (const TransactionRecord& each : session.transactions) hashes.push_back(each.envelope_hash);
  return hashes;
}

/// Aligns two sessions; see align_sessions().
class SessionAligner {
 public:
  SessionAligner(const SessionRecord& before, std::span<const ExchangeKeys> keys_before,
                 const SessionRecord& after, std::span<const ExchangeKeys> keys_after)
      : before_(before), after_(after), keys_before_(keys_before), keys_after_(keys_after) {}

  SessionAlignment run() {
    found_.of_before.assign(before_.exchanges.size(), SessionAlignment::kAlone);
    found_.of_after.assign(after_.exchanges.size(), SessionAlignment::kAlone);
    found_.moved_to = found_.of_before;
    found_.moved_from = found_.of_after;
    found_.transaction_of_before.assign(before_.transactions.size(), SessionAlignment::kAlone);
    found_.transaction_of_after.assign(after_.transactions.size(), SessionAlignment::kAlone);
    transactions();
    Segment between{0, 0, 0, 0};
    for (std::size_t i = 0; i < before_.transactions.size(); ++i) {
      const std::size_t counterpart = found_.transaction_of_before[i];
      if (counterpart == SessionAlignment::kAlone) continue;
      const TransactionRecord& a = before_.transactions[i];
      const TransactionRecord& b = after_.transactions[counterpart];
      // One that began inside another, or came back, has been dealt with.
      if (a.first < between.before || b.first < between.after) continue;
      between.before_end = a.first;
      between.after_end = b.first;
      segment(between);
      segment({a.first, a.last + 1, b.first, b.last + 1});
      between = {a.last + 1, 0, b.last + 1, 0};
    }
    between.before_end = before_.exchanges.size();
    between.after_end = after_.exchanges.size();
    segment(between);
    moved();
    return std::move(found_);
  }

 private:
  /// Those with equal envelopes in order; what lies between two such pairs in order too, for a
  /// changed recipient makes another envelope. Where there are more on one side, those that have
  /// the same reverse-path find each other first.
  void transactions() {
    std::size_t a = 0, b = 0;
    const auto between = [&](std::size_t a_end, std::size_t b_end) {
      std::vector<std::uint64_t> senders_a, senders_b;
      for (std::size_t i = a; i < a_end; ++i) {
        senders_a.push_back(std::hash<std::string>()(before_.transactions[i].reverse_path));
      }
      for (std::size_t i = b; i < b_end; ++i) {
        senders_b.push_back(std::hash<std::string>()(after_.transactions[i].reverse_path));
      }
      const std::vector<AlignedPair> same_sender = align(senders_a, senders_b);
      for (const AlignedPair& pair : same_sender) pair_transactions(a + pair.a, b + pair.b);
      if (!same_sender.empty() || a_end - a != b_end - b) return;
      for (; a < a_end; ++a, ++b) pair_transactions(a, b);  // only the senders differ
    };
    for (const AlignedPair& pair : align(envelopes_of(before_), envelopes_of(after_))) {
      between(pair.a, pair.b);
      pair_transactions(pair.a, pair.b);
      a = pair.a + 1;
      b = pair.b + 1;
    }
    between(before_.transactions.size(), after_.transactions.size());
  }

  void pair_transactions(std::size_t before, std::size_t after) {
    found_.transaction_of_before[before] = after;
    found_.transaction_of_after[after] = before;
  }

  void pair(std::size_t before, std::size_t after) {
    found_.of_before[before] = after;
    found_.of_after[after] = before;
  }

  void segment(const Segment& s) {
    std::size_t a = s.before, b = s.after;
    for (const AlignedPair& each : align_by(s, &ExchangeKeys::text)) {
      similar({a, s.before + each.a, b, s.after + each.b});
      pair(s.before + each.a, s.after + each.b);
      a = s.before + each.a + 1;
      b = s.after + each.b + 1;
    }
    similar({a, s.before_end, b, s.after_end});
  }

  /// Between equal exchanges: those of the same kind.
  void similar(const Segment& s) {
    if (s.before == s.before_end || s.after == s.after_end) return;
    for (const AlignedPair& each : align_by(s, &ExchangeKeys::verb)) {
      pair(s.before + each.a, s.after + each.b);
    }
  }

  std::vector<AlignedPair> align_by(const Segment& s, std::uint64_t ExchangeKeys::*key) const {
    std::vector<std::uint64_t> a, b;
    for (std::size_t i = s.before; i < s.before_end; ++i) a.push_back(keys_before_[i].*key);
    for (std::size_t i = s.after; i < s.after_end; ++i) b.push_back(keys_after_[i].*key);
    return align(a, b);
  }

  /// What has no counterpart in its place may have one elsewhere.
  void moved() {
    std::unordered_map<std::uint64_t, std::vector<std::size_t>> places;  // the last first
    for (std::size_t i = after_.exchanges.size(); i-- > 0;) {
      if (found_.of_after[i] == SessionAlignment::kAlone) {
        places[keys_after_[i].text].push_back(i);
      }
    }
    for (std::size_t i = 0; i < before_.exchanges.size(); ++i) {
      if (found_.of_before[i] != SessionAlignment::kAlone) continue;
      const auto elsewhere = places.find(keys_before_[i].text);
      if (elsewhere == places.end() || elsewhere->second.empty()) continue;
      found_.moved_to[i] = elsewhere->second.back();
      found_.moved_from[elsewhere->second.back()] = i;
      elsewhere->second.pop_back();
    }
  }

  const SessionRecord& before_;
  const SessionRecord& after_;
  const std::span<const ExchangeKeys> keys_before_, keys_after_;
  SessionAlignment found_;
};

}  // namespace

SessionAlignment align_sessions(const SessionRecord& before,
                                std::span<const ExchangeKeys> keys_before,
                                const SessionRecord& after,
                                std::span<const ExchangeKeys> keys_after) {
  return SessionAligner(before, keys_before, after, keys_after).run();
}

}  // namespace smtpscope
