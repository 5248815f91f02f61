#include "diff/taps/taps_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "diff/taps/taps_dialogue.h"
#include "diff/taps/taps_findings.h"
#include "diff/taps/taps_words.h"
#include "timeline/duration_text.h"
#include "timeline/thresholds.h"

namespace smtpscope {
namespace {

constexpr std::array<std::string_view, kTapsChangeKinds> kChangeNames = {
    "command-injected",  "command-dropped", "command-rewritten", "command-reordered",
    "answered-between",  "reply-rewritten", "reply-injected",    "reply-dropped",
    "keyword-masked",    "keyword-removed", "keyword-added",     "keyword-rewritten",
    "message-injected",  "message-dropped", "header-added",      "header-removed",
    "header-rewritten",  "header-moved",    "body-rewritten",    "size-changed",
    "line-ends-changed", "dot-stuffing",    "tls-ended",         "delayed",
};

/// So large a share of the answers says which tap is nearer to the client.
constexpr std::uint64_t kSurePercent = 75;

/// "192.0.2.10:50114" without its port; a Unix socket is what it is.
std::string_view peer_host(std::string_view address) {
  if (address.starts_with("unix:")) return address;
  return address.substr(0, address.rfind(':'));
}

bool has_words(const SessionRecord& session) {
  return std::ranges::any_of(session.exchanges, [](const ExchangeRecord& each) {
    return each.kind != ExchangeKind::kGreeting && each.kind != ExchangeKind::kUnasked;
  });
}

Time last_event(const RunRecord& run) {
  Time last;
  for (const SessionRecord& each : run.sessions) last = std::max(last, each.finished);
  return last;
}

class TapsComparer {
 public:
  TapsComparer(const RunRecord& near_client, const RunRecord& near_server, const RuleSet& rules)
      : client_(near_client), server_(near_server), rules_(rules) {
    result_.near_client = &near_client;
    result_.near_server = &near_server;
    name_taps();
  }

  TapsComparison run() {
    for (const RunRecord* run : {&client_, &server_}) {
      if (!run->sessions.empty()) continue;
      result_.trouble = fmt::format(
          "{} holds no session, so there is nothing to compare; was the proxy running, and in the "
          "way, when the client connected?",
          run->name);
      return std::move(result_);
    }
    const TapsMatching matching = match_taps(client_, server_);
    if (matching.groups.empty()) {
      result_.trouble = nothing_in_common();
      return std::move(result_);
    }
    for (const TapsGroup& group : matching.groups) add_dialogue(group);
    if (is_swapped()) return std::move(result_);
    set_clocks();
    const Duration threshold = rules_.thresholds().duration(Threshold::kTwoPointDelay);
    for (TapsDialogue& each : result_.dialogues) {
      compare_dialogue(client_, server_, threshold, each);
      raise_findings(rules_, each);
      for (const TapsChange& change : each.changes) {
        ++result_.counts[static_cast<std::size_t>(change.kind)];
      }
    }
    lone_sessions(matching);
    gather_delays();
    result_.verdict = taps_verdict(result_);
    return std::move(result_);
  }

 private:
  void name_taps() {
    result_.name_near_client = "near client";
    result_.name_near_server = "near server";
    // One name for both would tell nobody anything.
    if (client_.info.tap == server_.info.tap) return;
    if (!client_.info.tap.empty()) result_.name_near_client = client_.info.tap;
    if (!server_.info.tap.empty()) result_.name_near_server = server_.info.tap;
  }

  std::string nothing_in_common() const {
    return fmt::format(
        "none of the {} in {} has a counterpart among the {} in {}: they have no message, envelope "
        "or dialogue in common. Compare captures of the same run, one taken near the client and "
        "one "
        "near the server",
        counted(client_.sessions.size(), "session"), client_.name,
        counted(server_.sessions.size(), "session"), server_.name);
  }

  void add_dialogue(const TapsGroup& group) {
    TapsDialogue& dialogue = result_.dialogues.emplace_back();
    dialogue.matched_by = group.by;
    for (const std::size_t i : group.near_client) {
      dialogue.near_client.push_back(&client_.sessions[i]);
    }
    for (const std::size_t i : group.near_server) {
      dialogue.near_server.push_back(&server_.sessions[i]);
    }
    std::ranges::stable_sort(dialogue.near_client, {}, &SessionRecord::began);
    std::ranges::stable_sort(dialogue.near_server, {}, &SessionRecord::began);
    lay_out(client_, server_, dialogue);
  }

  /// Who is nearer to the client waits longer for what the server says.
  bool is_swapped() {
    TapsOrderVotes votes;
    for (const TapsDialogue& each : result_.dialogues) {
      const TapsOrderVotes more = order_votes(client_, server_, each);
      votes.as_given += more.as_given;
      votes.swapped += more.swapped;
    }
    const std::uint64_t all = votes.as_given + votes.swapped;
    if (votes.swapped == 0 || votes.swapped * 100 < all * kSurePercent) return false;
    result_.dialogues.clear();
    result_.trouble = fmt::format(
        "the captures seem to be in the wrong order: answers reached the tap of {} later than "
        "that "
        "of {}, so {} is nearer to the client. Give it first: smtpscope diff --taps {} "
        "{}",
        server_.name, client_.name, server_.name, server_.name, client_.name);
    return true;
  }

  void set_clocks() {
    std::vector<std::vector<OffsetSample>> samples;
    for (const TapsDialogue& each : result_.dialogues) {
      samples.push_back(offset_samples(client_, server_, each));
    }
    result_.clock = TapsClock::make(samples);
    for (std::size_t i = 0; i < result_.dialogues.size(); ++i) {
      result_.dialogues[i].clock = result_.clock.of(i);
    }
  }

  void lone_sessions(const TapsMatching& matching) {
    std::set<std::string_view> hosts;
    for (const TapsDialogue& each : result_.dialogues) {
      for (const SessionRecord* session : each.near_server)
        hosts.insert(peer_host(session->client));
    }
    using enum TapsLoneSession::Meaning;
    for (const std::size_t i : matching.only_near_client) {
      TapsLoneSession& lone = result_.only_near_client.emplace_back();
      lone.session = &client_.sessions[i];
      lone.meaning = kBlocked;
      place(client_, result_.clock.whole().offset, server_, lone);
    }
    for (const std::size_t i : matching.only_near_server) {
      TapsLoneSession& lone = result_.only_near_server.emplace_back();
      lone.session = &server_.sessions[i];
      lone.meaning = hosts.contains(peer_host(lone.session->client)) ? kOpened : kOtherClient;
      place(server_, -result_.clock.whole().offset, client_, lone);
    }
  }

  /// Whether the other tap could have seen it, and whether there was anything to see. `offset`: of
  /// the other tap's clock.
  void place(const RunRecord& run, Duration offset, const RunRecord& other,
             TapsLoneSession& lone) const {
    using enum TapsLoneSession::Meaning;
    if (!has_words(*lone.session)) lone.meaning = kWithoutWords;
    if (!result_.clock.whole().known) return;
    const Duration began = wall_of(run, lone.session->began) + offset;
    if (began < wall_of(other, Time{})) lone.meaning = kNotRecorded;
    lone.after_the_other = began > wall_of(other, last_event(other));
  }

  /// Then nothing was passed on and back.
  static bool answered_between(const TapsDialogue& dialogue, const TapsRow& row) {
    const auto first = dialogue.changes.begin() + row.first_change;
    return std::any_of(first, first + row.change_count, [](const TapsChange& each) {
      return each.kind == TapsChangeKind::kAnsweredBetween;
    });
  }

  void gather_delays() {
    std::vector<Duration> all;
    TapsDelays& delays = result_.delays;
    for (std::size_t i = 0; i < result_.dialogues.size(); ++i) {
      const TapsDialogue& dialogue = result_.dialogues[i];
      for (std::size_t j = 0; j < dialogue.rows.size(); ++j) {
        const std::optional<Duration> added = dialogue.rows[j].added;
        if (!added || answered_between(dialogue, dialogue.rows[j])) continue;
        all.push_back(*added);
        if (delays.exchanges++ > 0 && *added <= delays.most) continue;
        delays.most = *added;
        delays.dialogue = i;
        delays.row = j;
      }
    }
    if (all.empty()) return;
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::ranges::nth_element(all, middle);
    delays.median = *middle;
  }

  const RunRecord& client_;
  const RunRecord& server_;
  const RuleSet& rules_;
  TapsComparison result_;
};

}  // namespace

std::string_view to_string(TapsChangeKind kind) {
  return kChangeNames[static_cast<std::size_t>(kind)];
}

std::string_view to_string(TapsLoneSession::Meaning meaning) {
  constexpr std::array<std::string_view, 5> kNames = {"blocked", "opened", "other-client",
                                                      "not-recorded", "without-words"};
  return kNames[static_cast<std::size_t>(meaning)];
}

bool TapsComparison::changed() const {
  return std::ranges::any_of(counts, [](std::uint64_t count) { return count > 0; }) ||
         std::ranges::any_of(only_near_client, &TapsLoneSession::is_change) ||
         std::ranges::any_of(only_near_server, &TapsLoneSession::is_change);
}

TapsComparison compare_taps(const RunRecord& near_client, const RunRecord& near_server,
                            const RuleSet& rules) {
  return TapsComparer(near_client, near_server, rules).run();
}

}  // namespace smtpscope
