#include "diff/runs/run_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "diff/exchange_name.h"
#include "diff/runs/exchange_comparison.h"
#include "diff/runs/message_comparison.h"
#include "diff/runs/session_alignment.h"
#include "diff/runs/session_pairing.h"
#include "timeline/unmet_needs.h"

namespace smtpscope {
namespace {

std::uint64_t hash_of(std::uint64_t so_far, std::uint64_t value) {
  // splitmix64's finaliser: keys of which one bit differs have nothing in common.
  std::uint64_t x = so_far * 0x9E3779B97F4A7C15u + value + 0x632BE59BD9B4E019u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// The first word of a command that is not known by name.
std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

std::vector<ExchangeKeys> keys_of(const NormalizedRun& run, const SessionRecord& session) {
  std::vector<ExchangeKeys> keys;
  keys.reserve(session.exchanges.size());
  for (const ExchangeRecord& each : session.exchanges) {
    ExchangeKeys& key = keys.emplace_back();
    key.verb =
        hash_of(static_cast<std::uint64_t>(each.kind), static_cast<std::uint64_t>(each.verb));
    if (each.kind == ExchangeKind::kCommand && each.verb == Verb::kUnknown) {
      key.verb = hash_of(
          key.verb, std::hash<std::string_view>()(first_word(run.run.commands.text(each.text))));
    }
    key.text = hash_of(key.verb, run.commands.shared(each.text));
    // What the server says unasked is known by its code.
    if (each.kind == ExchangeKind::kUnasked && each.reply_count > 0) {
      key.text = hash_of(key.text, session.replies[each.first_reply].code);
    }
  }
  return keys;
}

SessionTraits traits_of(const SessionRecord& session, const std::vector<ExchangeKeys>& keys) {
  SessionTraits traits;
  traits.dialogue = traits.shape = session.connect_failed.empty() ? 1 : 2;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const ExchangeRecord& exchange = session.exchanges[i];
    traits.shape = hash_of(traits.shape, keys[i].verb);
    traits.dialogue = hash_of(traits.dialogue, keys[i].text);
    for (std::uint32_t j = 0; j < exchange.reply_count; ++j) {
      traits.dialogue = hash_of(traits.dialogue, session.replies[exchange.first_reply + j].code);
    }
    const auto verb = static_cast<std::size_t>(exchange.verb);
    if (traits.verb_counts.size() <= verb) traits.verb_counts.resize(verb + 1);
    ++traits.verb_counts[verb];
  }
  for (const TransactionRecord& each : session.transactions) {
    traits.envelopes.push_back(each.envelope_hash);
  }
  return traits;
}

/// How the session ended, in words: who closed first, and how.
std::string end_words(const SessionRecord& session) {
  if (session.closes.empty()) return session.ended ? "nobody closed" : "not seen";
  // Behind QUIT and 221 both sides close (RFC 5321 4.1.1.10), and who is first is a matter of
  // microseconds.
  const bool all_fin = std::ranges::all_of(session.closes, [](const RecordedClose& each) {
    return each.kind == CloseKind::kFin && !each.by_proxy;
  });
  if (session.ended_cleanly && all_fin) return "closed after QUIT";
  const RecordedClose& first = session.closes.front();
  if (first.by_proxy) return "ended by smtpscope";
  return fmt::format("the {} closed first ({})", to_string(first.from), to_string(first.kind));
}

/// Compares two sessions that correspond.
class SessionComparer {
 public:
  SessionComparer(const SessionRecord& before, const SessionRecord& after,
                  const ExchangeComparison& exchanges, const Normalizers& normalizers,
                  const RunRecord& run_before, const RunRecord& run_after)
      : before_(before),
        after_(after),
        exchanges_(exchanges),
        normalizers_(normalizers),
        run_before_(run_before),
        run_after_(run_after) {
    result_.before = &before;
    result_.after = &after;
  }

  SessionComparison compare(const std::vector<ExchangeKeys>& keys_before,
                            const std::vector<ExchangeKeys>& keys_after, RunComparison& totals) {
    alignment_ = align_sessions(before_, keys_before, after_, keys_after);
    rows();
    result_.of_session = result_.differences.size();
    connection();
    transactions(totals);
    annotations();
    end();
    totals.exchanges += result_.rows.size();
    return std::move(result_);
  }

 private:
  Difference& add(DifferenceKind kind, std::string subject, std::string said_before,
                  std::string said_after) {
    Difference& difference = result_.differences.emplace_back();
    difference.kind = kind;
    difference.subject = std::move(subject);
    difference.before = std::move(said_before);
    difference.after = std::move(said_after);
    return difference;
  }

  /// Walks both sessions side by side.
  void rows() {
    std::size_t i = 0, j = 0;
    while (i < before_.exchanges.size() || j < after_.exchanges.size()) {
      const bool alone_before =
          i < before_.exchanges.size() && alignment_.of_before[i] == SessionAlignment::kAlone;
      const bool alone_after =
          j < after_.exchanges.size() && alignment_.of_after[j] == SessionAlignment::kAlone;
      if (alone_before) {
        only_before(i++);
      } else if (alone_after) {
        only_after(j++);
      } else {
        both(i++, j++);
      }
    }
  }

  ComparedRow& begin_row() {
    ComparedRow& row = result_.rows.emplace_back();
    row.first_difference = static_cast<std::uint32_t>(result_.differences.size());
    return row;
  }
  void end_row(ComparedRow& row) {
    row.difference_count =
        static_cast<std::uint32_t>(result_.differences.size()) - row.first_difference;
  }

  void both(std::size_t i, std::size_t j) {
    ComparedRow& row = begin_row();
    row.before = static_cast<std::uint32_t>(i);
    row.after = static_cast<std::uint32_t>(j);
    exchanges_.compare(before_, before_.exchanges[i], after_, after_.exchanges[j],
                       result_.differences, result_.set_aside);
    end_row(row);
  }

  void only_before(std::size_t i) {
    const ExchangeRecord& exchange = before_.exchanges[i];
    const std::size_t elsewhere = alignment_.moved_to[i];
    ComparedRow& row = begin_row();
    row.before = static_cast<std::uint32_t>(i);
    row.moved = elsewhere != SessionAlignment::kAlone;
    // What was moved is reported once, where it stood before.
    Difference& difference =
        add(row.moved ? DifferenceKind::kCommandMoved : DifferenceKind::kCommandRemoved,
            exchange_name(run_before_, exchange), {}, {});
    difference.entry_before = exchange.entry;
    difference.transaction_before = exchange.transaction;
    if (row.moved) {
      difference.entry_after = after_.exchanges[elsewhere].entry;
      difference.transaction_after = after_.exchanges[elsewhere].transaction;
    }
    end_row(row);
  }

  void only_after(std::size_t j) {
    const ExchangeRecord& exchange = after_.exchanges[j];
    ComparedRow& row = begin_row();
    row.after = static_cast<std::uint32_t>(j);
    row.moved = alignment_.moved_from[j] != SessionAlignment::kAlone;
    if (!row.moved) {
      Difference& difference =
          add(DifferenceKind::kCommandAdded, exchange_name(run_after_, exchange), {}, {});
      difference.entry_after = exchange.entry;
      difference.transaction_after = exchange.transaction;
    }
    end_row(row);
  }

  void connection() {
    if (before_.connect_failed.empty() == after_.connect_failed.empty()) return;
    const auto words = [](const SessionRecord& session) {
      return session.connect_failed.empty() ? "a server answered" : session.connect_failed;
    };
    add(DifferenceKind::kConnection, "connection to the server", words(before_), words(after_));
  }

  static std::string name_of(const TransactionRecord& transaction) {
    std::string name =
        fmt::format("transaction {}: <{}> to ", transaction.number, transaction.reverse_path);
    if (transaction.recipients.empty()) return name + "nobody";
    name += fmt::format("<{}>", transaction.recipients.front());
    if (transaction.rcpt_sent > 1) name += fmt::format(" and {} more", transaction.rcpt_sent - 1);
    return name;
  }

  static std::string outcome_of(const TransactionRecord& transaction) {
    std::string words(to_string(transaction.outcome));
    if (transaction.final_code != 0) words += fmt::format(" ({})", transaction.final_code);
    if (transaction.aborted_by != AbortedBy::kNothing) {
      words += fmt::format(" by {}", to_string(transaction.aborted_by));
    }
    return words;
  }

  void transactions(RunComparison& totals) {
    for (std::size_t i = 0; i < before_.transactions.size(); ++i) {
      const TransactionRecord& a = before_.transactions[i];
      const std::size_t j = alignment_.transaction_of_before[i];
      if (j == SessionAlignment::kAlone) {
        add(DifferenceKind::kTransactionRemoved, name_of(a), outcome_of(a), {}).transaction_before =
            a.number;
        continue;
      }
      const TransactionRecord& b = after_.transactions[j];
      const std::size_t known = result_.differences.size();
      if (outcome_of(a) != outcome_of(b)) {
        add(DifferenceKind::kOutcome, name_of(a), outcome_of(a), outcome_of(b));
      }
      messages(a, b, totals);
      for (std::size_t k = known; k < result_.differences.size(); ++k) {
        result_.differences[k].transaction_before = a.number;
        result_.differences[k].transaction_after = b.number;
      }
    }
    for (std::size_t j = 0; j < after_.transactions.size(); ++j) {
      if (alignment_.transaction_of_after[j] != SessionAlignment::kAlone) continue;
      const TransactionRecord& b = after_.transactions[j];
      add(DifferenceKind::kTransactionAdded, name_of(b), {}, outcome_of(b)).transaction_after =
          b.number;
    }
  }

  void messages(const TransactionRecord& a, const TransactionRecord& b, RunComparison& totals) {
    if (!a.has_data || !b.has_data) return;
    MessageComparison compared = compare_messages(a, b, normalizers_, result_.set_aside);
    ++totals.messages;
    if (compared.in_part) ++totals.messages_in_part;
    std::ranges::move(compared.differences, std::back_inserter(result_.differences));
  }

  /// The findings that stand, counted by what they are about: rule, variant and transaction, that
  /// of the run before where it has a counterpart.
  struct Standing {
    std::vector<const AnnotationRecord*> before, after;
  };
  void annotations() {
    using Key = std::tuple<std::string_view, std::string_view, std::uint64_t>;
    std::map<Key, Standing> found;
    // What one of the traces knows too little for is in neither.
    const unsigned unmet = unmet_needs(before_.fidelity) | unmet_needs(after_.fidelity);
    for (const AnnotationRecord& each : before_.annotations) {
      if (each.folded || (each.rule->needs & unmet) != 0) continue;
      found[{each.rule->id, each.variant, each.transaction}].before.push_back(&each);
    }
    for (const AnnotationRecord& each : after_.annotations) {
      if (each.folded || (each.rule->needs & unmet) != 0) continue;
      found[{each.rule->id, each.variant, counterpart(each.transaction)}].after.push_back(&each);
    }
    for (const auto& [key, standing] : found) {
      for (std::size_t i = standing.after.size(); i < standing.before.size(); ++i) {
        annotation(DifferenceKind::kAnnotationGone, *standing.before[i]);
      }
      for (std::size_t i = standing.before.size(); i < standing.after.size(); ++i) {
        annotation(DifferenceKind::kAnnotationNew, *standing.after[i]);
      }
    }
  }

  /// The number in the run before of a transaction of the run after.
  std::uint64_t counterpart(std::uint64_t transaction) const {
    constexpr std::uint64_t kNone = ~std::uint64_t{0};
    if (transaction == 0) return 0;
    const auto at =
        std::ranges::lower_bound(after_.transactions, transaction, {}, &TransactionRecord::number);
    if (at == after_.transactions.end() || at->number != transaction) return kNone;
    const std::size_t place =
        alignment_.transaction_of_after[static_cast<std::size_t>(at - after_.transactions.begin())];
    return place == SessionAlignment::kAlone ? kNone : before_.transactions[place].number;
  }

  void annotation(DifferenceKind kind, const AnnotationRecord& found) {
    const bool gone = kind == DifferenceKind::kAnnotationGone;
    const std::string subject = fmt::format("{} {}{}{}", to_string(found.severity), found.rule->id,
                                            found.variant.empty() ? "" : " ", found.variant);
    Difference& difference =
        add(kind, subject, gone ? found.text : std::string(), gone ? std::string() : found.text);
    (gone ? difference.entry_before : difference.entry_after) = found.entry;
    (gone ? difference.transaction_before : difference.transaction_after) = found.transaction;
  }

  void end() {
    // A session that goes on, or whose end was not captured, has none to compare.
    if (!before_.ended || !after_.ended) return;
    const unsigned unknown = before_.fidelity.unknown | after_.fidelity.unknown;
    if ((unknown & kUnknownCloses) != 0 || end_words(before_) == end_words(after_)) return;
    add(DifferenceKind::kEnd, "end of the session", end_words(before_), end_words(after_));
  }

  const SessionRecord& before_;
  const SessionRecord& after_;
  const ExchangeComparison& exchanges_;
  const Normalizers& normalizers_;
  const RunRecord& run_before_;
  const RunRecord& run_after_;
  SessionAlignment alignment_;
  SessionComparison result_;
};

/// A session that only one of the runs has, in words.
std::string session_words(const SessionRecord& session) {
  if (!session.connect_failed.empty()) return "no server could be reached";
  std::string words = fmt::format("{} exchanges", session.exchanges.size());
  for (const TransactionRecord& each : session.transactions) {
    words += fmt::format(", <{}> {}", each.reverse_path, to_string(each.outcome));
  }
  return words;
}

}  // namespace

RunComparison compare_runs(const RunRecord& before, const RunRecord& after,
                           const Normalizers& normalizers, const ComparisonOptions& options) {
  RunComparison result;
  result.before = &before;
  result.after = &after;
  TextPool commands, replies;
  const auto normalized = [&](const RunRecord& run) {
    return NormalizedRun{run, NormalizedPool(run.commands, kInCommand, normalizers, commands),
                         NormalizedPool(run.replies, kInReply, normalizers, replies)};
  };
  const NormalizedRun texts_before = normalized(before), texts_after = normalized(after);
  const ExchangeComparison exchanges(texts_before, texts_after, normalizers, options);

  std::vector<std::vector<ExchangeKeys>> keys_before, keys_after;
  std::vector<SessionTraits> traits_before, traits_after;
  for (const SessionRecord& session : before.sessions) {
    traits_before.push_back(
        traits_of(session, keys_before.emplace_back(keys_of(texts_before, session))));
  }
  for (const SessionRecord& session : after.sessions) {
    traits_after.push_back(
        traits_of(session, keys_after.emplace_back(keys_of(texts_after, session))));
  }
  for (const SessionPair& pair : pair_sessions(traits_before, traits_after)) {
    if (pair.before && pair.after) {
      SessionComparer comparer(before.sessions[*pair.before], after.sessions[*pair.after],
                               exchanges, normalizers, before, after);
      result.sessions.push_back(
          comparer.compare(keys_before[*pair.before], keys_after[*pair.after], result));
    } else {
      SessionComparison& alone = result.sessions.emplace_back();
      Difference& difference = alone.differences.emplace_back();
      const SessionRecord& session =
          pair.before ? before.sessions[*pair.before] : after.sessions[*pair.after];
      difference.kind =
          pair.before ? DifferenceKind::kSessionRemoved : DifferenceKind::kSessionAdded;
      difference.subject = fmt::format("session {}", session.id);
      (pair.before ? alone.before : alone.after) = &session;
      (pair.before ? difference.before : difference.after) = session_words(session);
    }
    for (const Difference& each : result.sessions.back().differences) result.counts.add(each.kind);
    result.set_aside.add(result.sessions.back().set_aside);
  }
  return result;
}

}  // namespace smtpscope
