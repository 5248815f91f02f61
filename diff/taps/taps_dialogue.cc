#include "diff/taps/taps_dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "diff/reply_text.h"
#include "diff/taps/taps_exchanges.h"
#include "diff/taps/taps_messages.h"
#include "diff/taps/taps_steps.h"

namespace smtpscope {
namespace {

using Sessions = std::vector<const SessionRecord*>;

bool speaks_tls(const Sessions& sessions) {
  return std::ranges::any_of(sessions, [](const SessionRecord* session) {
    return std::ranges::any_of(session->exchanges, [](const ExchangeRecord& each) {
      return each.kind == ExchangeKind::kTls;
    });
  });
}

/// Octets that the clients sent inside TLS.
std::uint64_t tls_octets(const Sessions& sessions) {
  std::uint64_t octets = 0;
  for (const SessionRecord* session : sessions) {
    for (const ExchangeRecord& each : session->exchanges) {
      if (each.kind == ExchangeKind::kTls) octets += each.octets;
    }
  }
  return octets;
}

bool has_holes(const RunRecord& run, const Sessions& sessions) {
  return run.holes > 0 || std::ranges::any_of(sessions, [](const SessionRecord* session) {
           return session->holes > 0;
         });
}

/// Notes what one tap could not see: its rows are no changes.
class SightLimits {
 public:
  SightLimits(const RunRecord& near_client, const RunRecord& near_server, TapsDialogue& dialogue)
      : dialogue_(dialogue) {
    const bool hole_client = has_holes(near_client, dialogue.near_client);
    const bool hole_server = has_holes(near_server, dialogue.near_server);
    dialogue.has_hole = hole_client || hole_server;
    if (hole_client) {
      note("the trace near the client has a hole; what lies in it seems to be missing");
    }
    if (hole_server) {
      note("the trace near the server has a hole; what lies in it seems to be missing");
    }
  }

  void apply() {
    if (dialogue_.near_client.front()->mid_session) {
      leading(&TapsRow::near_server);
      note("the trace near the client begins mid-session");
    }
    if (dialogue_.near_server.front()->mid_session) {
      leading(&TapsRow::near_client);
      note("the trace near the server begins mid-session");
    }
    const bool tls_client = speaks_tls(dialogue_.near_client);
    const bool tls_server = speaks_tls(dialogue_.near_server);
    if (tls_client && tls_server) {
      note("what is inside TLS is not visible");
    } else if (tls_client) {
      trailing(&TapsRow::near_server);
      note("what the client sent inside TLS, which ends in between, is not visible");
    } else if (tls_server) {
      trailing(&TapsRow::near_client);
      note("what the server was sent inside TLS, which begins in between, is not visible");
    }
    if (!dialogue_.near_client.back()->ended) {
      trailing(&TapsRow::near_server);
      note("the trace near the client ends before its session does");
    }
    if (!dialogue_.near_server.back()->ended) {
      trailing(&TapsRow::near_client);
      note("the trace near the server ends before its session does");
    }
  }

 private:
  void note(std::string_view what) { dialogue_.not_evaluated.emplace_back(what); }

  /// Rows of one tap only, before the first that is of both.
  void leading(std::uint32_t TapsRow::*side) { mark(dialogue_.rows.begin(), side); }
  /// Rows of one tap only, behind the last that is of both.
  void trailing(std::uint32_t TapsRow::*side) { mark(dialogue_.rows.rbegin(), side); }

  template <typename Row>
  void mark(Row row, std::uint32_t TapsRow::*side) const {
    for (std::size_t i = 0; i < dialogue_.rows.size() && !row->both(); ++i, ++row) {
      if ((*row).*side != TapsRow::kNone) row->unseen = true;
    }
  }

  TapsDialogue& dialogue_;
};

/// Finds the changes of one dialogue.
class DialogueComparer {
 public:
  DialogueComparer(const RunRecord& near_client, const RunRecord& near_server, Duration threshold,
                   TapsDialogue& dialogue)
      : run_client_(near_client),
        run_server_(near_server),
        threshold_(threshold),
        dialogue_(dialogue),
        messages_(match_messages(dialogue.near_client, dialogue.near_server)) {
    for (const TapsRow& row : dialogue.rows) {
      if (row.near_client != TapsRow::kNone) {
        note_words(near_client, dialogue.steps_near_client[row.near_client]);
      }
      if (row.both()) note_words(near_server, dialogue.steps_near_server[row.near_server]);
    }
  }

  void compare() {
    for (TapsRow& row : dialogue_.rows) {
      row.first_change = static_cast<std::uint32_t>(dialogue_.changes.size());
      compare(row);
      row.change_count = static_cast<std::uint32_t>(dialogue_.changes.size()) - row.first_change;
    }
    dialogue_.of_messages = dialogue_.changes.size();
    tls();
    for (const auto& [client, server] : messages_.both) {
      ++dialogue_.messages;
      if (!compare_message(client, server, dialogue_.changes)) ++dialogue_.messages_in_part;
    }
  }

 private:
  void compare(TapsRow& row) {
    if (row.both()) {
      const TapsExchange exchange{run_client_, dialogue_.steps_near_client[row.near_client],
                                  run_server_, dialogue_.steps_near_server[row.near_server]};
      measure(exchange, dialogue_.clock, row);
      compare_exchange(exchange, dialogue_.clock, row, threshold_, dialogue_.changes);
    } else if (row.unseen) {
      return;
    } else if (row.near_client != TapsRow::kNone) {
      near_client_only(dialogue_.steps_near_client[row.near_client], row.moved);
    } else {
      near_server_only(dialogue_.steps_near_server[row.near_server], row.moved);
    }
  }

  void note_words(const RunRecord& run, const TapsStep& step) {
    if (step.exchange->kind != ExchangeKind::kCommand) return;
    said_by_client_.insert(run.commands.text(step.exchange->text));
  }

  void near_client_only(const TapsStep& step, bool moved) {
    // It is told where the server heard it.
    if (moved) return;
    const ReplyRecord* got = first_reply_of(step);
    const std::string_view answer = got == nullptr ? "" : text_of(run_client_, *got);
    switch (step.exchange->kind) {
      case ExchangeKind::kGreeting:
        add(TapsChangeKind::kAnsweredBetween, run_client_, step, {}).near_client = answer;
        return;
      case ExchangeKind::kUnasked:
        add(TapsChangeKind::kReplyInjected, run_client_, step, {}).near_client = answer;
        return;
      case ExchangeKind::kMailData:
        if (!known_as_message(step, messages_.only_near_client)) return;
        add(TapsChangeKind::kMessageDropped, run_client_, step, {}).answer =
            first_reply_line(answer);
        return;
      default: {
        TapsChange& change = add(TapsChangeKind::kCommandDropped, run_client_, step, {});
        change.near_client = run_client_.commands.text(step.exchange->text);
        change.answer = first_reply_line(answer);
      }
    }
  }

  void near_server_only(const TapsStep& step, bool moved) {
    const ReplyRecord* given = first_reply_of(step);
    switch (step.exchange->kind) {
      case ExchangeKind::kGreeting:
        return;  // of a connection more; what was said on it is told
      case ExchangeKind::kUnasked:
        add(TapsChangeKind::kReplyDropped, run_server_, {}, step).near_server =
            given == nullptr ? "" : text_of(run_server_, *given);
        return;
      case ExchangeKind::kMailData:
        if (known_as_message(step, messages_.only_near_server)) {
          add(TapsChangeKind::kMessageInjected, run_server_, {}, step);
        }
        return;
      default:
        injected(step, moved);
    }
  }

  void injected(const TapsStep& step, bool moved) {
    TapsChange& change =
        add(moved ? TapsChangeKind::kCommandReordered : TapsChangeKind::kCommandInjected,
            run_server_, {}, step);
    change.near_server = run_server_.commands.text(step.exchange->text);
    change.again = said_by_client_.contains(change.near_server);
  }

  /// The mail data is a message that the other tap did not see, in whatever way it may be sent.
  static bool known_as_message(const TapsStep& step,
                               const std::set<const TransactionRecord*>& only) {
    return only.contains(transaction_of(step));
  }

  TapsChange& add(TapsChangeKind kind, const RunRecord& run, const TapsStep& near_client,
                  const TapsStep& near_server) {
    return dialogue_.changes.emplace_back(change_at(kind, run, near_client, near_server));
  }

  /// TLS that goes through is the same octets at both taps.
  void tls() {
    const std::uint64_t a = tls_octets(dialogue_.near_client);
    const std::uint64_t b = tls_octets(dialogue_.near_server);
    const bool all_there = dialogue_.near_client.back()->ended &&
                           dialogue_.near_server.back()->ended && !dialogue_.has_hole;
    if (a == b || !all_there) return;
    TapsChange& change = dialogue_.changes.emplace_back();
    change.kind = TapsChangeKind::kTlsEnded;
    change.exchange = ExchangeKind::kTls;
    change.subject = "TLS, by the octets that the client's end of it sent";
    const auto words = [](std::uint64_t octets) {
      return octets == 0 ? std::string("none") : fmt::format("{} octets", octets);
    };
    change.near_client = words(a);
    change.near_server = words(b);
    change.session_near_client = dialogue_.near_client.front()->id;
    change.session_near_server = dialogue_.near_server.front()->id;
  }

  const RunRecord& run_client_;
  const RunRecord& run_server_;
  const Duration threshold_;
  TapsDialogue& dialogue_;
  const TapsMessages messages_;
  std::unordered_set<std::string_view> said_by_client_;  // or what became of it on the way
};

template <typename Do>
void for_each_exchange(const RunRecord& near_client, const RunRecord& near_server,
                       const TapsDialogue& dialogue, Do&& act) {
  for (const TapsRow& row : dialogue.rows) {
    if (!row.both()) continue;
    act(TapsExchange{near_client, dialogue.steps_near_client[row.near_client], near_server,
                     dialogue.steps_near_server[row.near_server]});
  }
}

}  // namespace

void lay_out(const RunRecord& near_client, const RunRecord& near_server, TapsDialogue& dialogue) {
  dialogue.steps_near_client = steps_of(dialogue.near_client);
  dialogue.steps_near_server = steps_of(dialogue.near_server);
  dialogue.rows =
      rows_of(dialogue.steps_near_client, near_client, dialogue.steps_near_server, near_server);
  SightLimits(near_client, near_server, dialogue).apply();
}

std::vector<OffsetSample> offset_samples(const RunRecord& near_client, const RunRecord& near_server,
                                         const TapsDialogue& dialogue) {
  std::vector<OffsetSample> samples;
  for_each_exchange(near_client, near_server, dialogue, [&](const TapsExchange& exchange) {
    if (const auto sample = offset_sample(exchange)) samples.push_back(*sample);
  });
  return samples;
}

TapsOrderVotes order_votes(const RunRecord& near_client, const RunRecord& near_server,
                           const TapsDialogue& dialogue) {
  TapsOrderVotes votes;
  for_each_exchange(near_client, near_server, dialogue, [&](const TapsExchange& exchange) {
    if (!offset_sample(exchange)) return;
    TapsRow row;
    measure(exchange, {}, row);
    if (!row.added || *row.added == Duration{}) return;
    ++(*row.added < Duration{} ? votes.swapped : votes.as_given);
  });
  return votes;
}

void compare_dialogue(const RunRecord& near_client, const RunRecord& near_server,
                      Duration delay_threshold, TapsDialogue& dialogue) {
  DialogueComparer(near_client, near_server, delay_threshold, dialogue).compare();
}

}  // namespace smtpscope
