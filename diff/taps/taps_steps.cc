#include "diff/taps/taps_steps.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "diff/alignment.h"
#include "diff/chained_hash.h"
#include "parser/command_line.h"
#include "timeline/rules/masked_keyword.h"

namespace smtpscope {
namespace {

/// Leftovers at one place are few. Where they are not, no more than this are looked at to find
/// which was rewritten.
constexpr std::size_t kMostLookedAt = 32;

std::uint64_t hash_of_text(std::string_view text) { return std::hash<std::string_view>()(text); }

/// One tap's steps, with what is needed to find them at the other.
class StepList {
 public:
  StepList(const std::vector<TapsStep>& steps, const RunRecord& run) : run_(run) {
    for (const TapsStep& each : steps) {
      steps_.push_back(each);
      keys_.push_back(key_of(each));
    }
  }

  std::size_t size() const { return steps_.size(); }
  const std::vector<std::uint64_t>& keys() const { return keys_; }
  std::uint64_t key(std::size_t i) const { return keys_[i]; }
  const ExchangeRecord& exchange(std::size_t i) const { return *steps_[i].exchange; }
  std::string_view text(std::size_t i) const { return run_.commands.text(exchange(i).text); }

 private:
  std::uint64_t key_of(const TapsStep& step) const {
    const ExchangeRecord& exchange = *step.exchange;
    const auto kind = static_cast<std::uint64_t>(exchange.kind);
    switch (exchange.kind) {
      case ExchangeKind::kGreeting:
        return chained_hash(kind, 0);
      case ExchangeKind::kMailData:
        return chained_hash(kind, message_key(step));
      case ExchangeKind::kUnasked:
        return chained_hash(kind, unasked_key(step));
      default:
        return chained_hash(kind, hash_of_text(run_.commands.text(exchange.text)));
    }
  }

  /// Of its Message-ID: the rest may be changed in transit.
  static std::uint64_t message_key(const TapsStep& step) {
    const TransactionRecord* of = transaction_of(step);
    if (of == nullptr || !of->has_data) return 0;
    if (of->facts.header.message_id != 0) return of->facts.header.message_id;
    return chained_hash(of->facts.digest, of->facts.octets);
  }

  std::uint64_t unasked_key(const TapsStep& step) const {
    if (step.exchange->reply_count == 0) return 0;
    return hash_of_text(run_.replies.text(step.session->replies[step.exchange->first_reply].text));
  }

  const RunRecord& run_;
  std::vector<TapsStep> steps_;
  std::vector<std::uint64_t> keys_;
};

/// A firewall may write "X" over a command that it does not know, in place.
bool is_masked_form(std::string_view masked, std::string_view text) {
  const std::string_view word = split_command(masked).word;
  return is_masked_keyword(word) && word.size() == split_command(text).word.size();
}

bool says_hello(const ExchangeRecord& exchange) {
  return exchange.verb == Verb::kEhlo || exchange.verb == Verb::kHelo;
}

class StepAligner {
 public:
  StepAligner(StepList near_client, StepList near_server)
      : client_(std::move(near_client)),
        server_(std::move(near_server)),
        of_client_(client_.size(), TapsRow::kNone),
        of_server_(server_.size(), TapsRow::kNone),
        moved_client_(client_.size()),
        moved_server_(server_.size()) {}

  std::vector<TapsRow> run() {
    std::vector<AlignedPair> pairs = align(client_.keys(), server_.keys());
    take_earliest(pairs);
    for (const AlignedPair& each : pairs) pair(each.a, each.b);
    rewritten();
    moved();
    return rows();
  }

 private:
  void pair(std::size_t a, std::size_t b) {
    of_client_[a] = static_cast<std::uint32_t>(b);
    of_server_[b] = static_cast<std::uint32_t>(a);
  }

  /// Of what is equal the first is meant; what comes behind it was added. Nothing that is paired
  /// stands between a pair and the one before, so each step is looked at once.
  void take_earliest(std::vector<AlignedPair>& pairs) const {
    std::size_t from_a = 0, from_b = 0;
    const auto earliest = [](const StepList& list, std::size_t from, std::size_t at) {
      while (list.key(from) != list.key(at)) ++from;
      return from;
    };
    for (AlignedPair& each : pairs) {
      each = {earliest(client_, from_a, each.a), earliest(server_, from_b, each.b)};
      from_a = each.a + 1;
      from_b = each.b + 1;
    }
  }

  /// Between two pairs: what is of one kind is the same, with other octets.
  void rewritten() {
    std::size_t b = 0;
    for (std::size_t a = 0; a < client_.size(); ++a) {
      if (of_client_[a] != TapsRow::kNone) {
        b = of_client_[a] + std::size_t{1};
        continue;
      }
      const std::size_t end = std::min(server_.size(), b + kMostLookedAt);
      for (std::size_t i = b; i < end && of_server_[i] == TapsRow::kNone; ++i) {
        if (!may_be_rewritten(a, i)) continue;
        pair(a, i);
        b = i + 1;
        break;
      }
    }
  }

  bool may_be_rewritten(std::size_t a, std::size_t b) const {
    const ExchangeRecord& one = client_.exchange(a);
    const ExchangeRecord& other = server_.exchange(b);
    if (one.kind != other.kind) return false;
    if (one.kind != ExchangeKind::kCommand) return true;
    if (is_masked_form(server_.text(b), client_.text(a)) ||
        is_masked_form(client_.text(a), server_.text(b))) {
      return true;
    }
    if (says_hello(one) && says_hello(other)) return true;
    return one.verb == other.verb &&
           (one.verb != Verb::kUnknown ||
            split_command(client_.text(a)).word == split_command(server_.text(b)).word);
  }

  /// What is equal and left over on both sides stands elsewhere.
  void moved() {
    std::unordered_multimap<std::uint64_t, std::size_t> left;
    for (std::size_t b = server_.size(); b-- > 0;) {
      if (of_server_[b] == TapsRow::kNone) left.emplace(server_.key(b), b);
    }
    for (std::size_t a = 0; a < client_.size(); ++a) {
      if (of_client_[a] != TapsRow::kNone) continue;
      if (client_.exchange(a).kind != ExchangeKind::kCommand) continue;
      const auto found = left.find(client_.key(a));
      if (found == left.end()) continue;
      moved_client_[a] = moved_server_[found->second] = true;
      left.erase(found);
    }
  }

  std::vector<TapsRow> rows() const {
    std::vector<TapsRow> rows;
    std::size_t b = 0;
    const auto only_server = [&](std::size_t end) {
      for (; b < end; ++b) {
        TapsRow& row = rows.emplace_back();
        row.near_server = static_cast<std::uint32_t>(b);
        row.moved = moved_server_[b];
      }
    };
    for (std::size_t a = 0; a < client_.size(); ++a) {
      if (of_client_[a] != TapsRow::kNone) only_server(of_client_[a]);
      TapsRow& row = rows.emplace_back();
      row.near_client = static_cast<std::uint32_t>(a);
      row.near_server = of_client_[a];
      row.moved = moved_client_[a];
      if (row.both()) ++b;
    }
    only_server(server_.size());
    return rows;
  }

  const StepList client_, server_;
  std::vector<std::uint32_t> of_client_, of_server_;
  std::vector<bool> moved_client_, moved_server_;
};

}  // namespace

std::vector<TapsStep> steps_of(const std::vector<const SessionRecord*>& sessions) {
  std::vector<TapsStep> steps;
  for (const SessionRecord* session : sessions) {
    for (const ExchangeRecord& each : session->exchanges) {
      if (each.kind != ExchangeKind::kTls) steps.push_back({session, &each});
    }
  }
  return steps;
}

const TransactionRecord* transaction_of(const TapsStep& step) {
  const auto& known = step.session->transactions;
  const auto found =
      std::ranges::lower_bound(known, step.exchange->transaction, {}, &TransactionRecord::number);
  return found != known.end() && found->number == step.exchange->transaction ? &*found : nullptr;
}

std::vector<TapsRow> rows_of(const std::vector<TapsStep>& near_client,
                             const RunRecord& run_near_client,
                             const std::vector<TapsStep>& near_server,
                             const RunRecord& run_near_server) {
  return StepAligner({near_client, run_near_client}, {near_server, run_near_server}).run();
}

}  // namespace smtpscope
