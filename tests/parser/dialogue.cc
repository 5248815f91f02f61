#include "tests/parser/dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "tests/parser/describe_item.h"

namespace smtpscope::test {
namespace {

/// The texts that an item shows, one behind the other.
struct ShownText {
  std::string operator()(const Command& c) const { return std::string(c.text); }
  std::string operator()(const Junk& j) const { return std::string(j.text); }
  template <typename Other>
  std::string operator()(const Other&) const {
    return "";
  }
};

/// Feeds one conversation and watches over what must hold at every moment.
class Run {
 public:
  explicit Run(Conversation::Start start) : conversation_(start) {}

  void feed(const Step& step, std::string_view octets) {
    conversation_.receive(step.side,
                          {reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()});
    streams_[index(step.side)].append(octets);
    drain();
  }
  void pass(const Step& step) {
    if (step.kind == Step::Kind::kEof) conversation_.eof(step.side);
    if (step.kind == Step::Kind::kGap) {
      drain_into_gap(step);
      return;
    }
    drain();
  }
  void finish() {
    conversation_.finish();
    drain();
    for (const Side side : {Side::kClient, Side::kServer}) {
      if (conversation_.itemised(side) != conversation_.received(side)) {
        complain(fmt::format("{}: items end at {} of {}", smtpscope::to_string(side),
                             conversation_.itemised(side), conversation_.received(side)));
      }
      for (const Secret& secret : secrets_[index(side)]) check_was_withheld(side, secret);
    }
  }

  Outcome outcome() && { return std::move(outcome_); }
  std::string masked(Side side) const {
    std::string result = streams_[index(side)];
    for (const Secret& secret : secrets_[index(side)]) {
      std::fill(result.begin() + static_cast<std::ptrdiff_t>(secret.begin),
                result.begin() + static_cast<std::ptrdiff_t>(secret.end), '#');
    }
    return result;
  }

 private:
  struct Secret {
    std::uint64_t begin, end;
  };
  /// Up to where a side was received and in items when nothing was said to be secret.
  struct Moment {
    std::uint64_t itemised, received;
  };

  void complain(std::string what) {
    if (outcome_.complaint.empty()) outcome_.complaint = std::move(what);
  }

  void drain_into_gap(const Step& step) {
    const std::uint64_t missing = step.missing;
    conversation_.gap(step.side, missing);
    drain();
    std::string& stream = streams_[index(step.side)];
    gaps_[index(step.side)].push_back({stream.size(), stream.size() + missing});
    stream.append(missing, '\0');
  }

  void drain() {
    while (const Item* item = conversation_.next()) take(*item);
    if (conversation_.secret_pending()) return;
    for (const Side side : {Side::kClient, Side::kServer}) {
      open_[index(side)].push_back({conversation_.itemised(side), conversation_.received(side)});
    }
  }

  void take(const Item& item) {
    outcome_.items.push_back(describe(item));
    outcome_.in_full.push_back(describe_in_full(item));
    std::uint64_t& end = ends_[index(item.side)];
    if (item.begin != end && !only_gap_between(item.side, end, item.begin)) {
      complain(fmt::format("hole or overlap: {} begins at {}, not at {}", describe(item),
                           item.begin, end));
    }
    if (item.end < item.begin || item.end > conversation_.received(item.side)) {
      complain(fmt::format("{} ends at {}", describe(item), item.end));
    }
    end = item.end;
    if (item.secret_begin != item.secret_end) take_secret(item);
    for (const StreamRange& range : conversation_.overwritten()) {
      if (range.begin < item.begin || range.end > item.end || range.begin >= range.end) {
        complain(fmt::format("{}: what was overwritten lies outside", describe(item)));
      }
      secrets_[index(item.side)].push_back({range.begin, range.end});
    }
  }

  bool only_gap_between(Side side, std::uint64_t from, std::uint64_t to) const {
    // Several gaps may follow each other.
    for (const Secret& missing : gaps_[index(side)]) {
      if (missing.begin == from) from = missing.end;
    }
    return from == to;
  }

  void take_secret(const Item& item) {
    if (item.secret_begin < item.begin || item.secret_end > item.end ||
        item.secret_begin > item.secret_end) {
      complain(fmt::format("{}: the secret lies outside", describe(item)));
      return;
    }
    secrets_[index(item.side)].push_back({item.secret_begin, item.secret_end});
    // Shown texts begin where their item begins.
    if (item.begin + std::visit(ShownText{}, item.body).size() > item.secret_begin) {
      complain(fmt::format("{} shows its secret", describe(item)));
    }
  }

  /// As long as the octets of a secret were in no item, secret_pending() must have said so.
  void check_was_withheld(Side side, const Secret& secret) {
    for (const Moment& moment : open_[index(side)]) {
      const std::uint64_t begin = std::max(moment.itemised, secret.begin);
      const std::uint64_t end = std::min(moment.received, secret.end);
      if (begin < end && !missing_only(side, begin, end)) {
        complain(
            fmt::format("octets [{},{}) turned out to be secret, but at [{},{}) none were "
                        "said to be pending",
                        secret.begin, secret.end, moment.itemised, moment.received));
      }
    }
  }
  bool missing_only(Side side, std::uint64_t begin, std::uint64_t end) const {
    return std::any_of(gaps_[index(side)].begin(), gaps_[index(side)].end(),
                       [&](const auto& gap) { return gap.begin <= begin && end <= gap.end; });
  }

  Conversation conversation_;
  Outcome outcome_;
  std::string streams_[2];
  std::vector<Secret> secrets_[2];
  std::vector<Secret> gaps_[2];
  std::vector<Moment> open_[2];
  std::uint64_t ends_[2] = {0, 0};
};

std::string compare(const Outcome& whole, const Outcome& other, std::string_view how) {
  if (!other.complaint.empty()) return fmt::format("{}: {}", how, other.complaint);
  for (std::size_t i = 0; i < std::max(whole.in_full.size(), other.in_full.size()); ++i) {
    const std::string a = i < whole.in_full.size() ? whole.in_full[i] : "(nothing)";
    const std::string b = i < other.in_full.size() ? other.in_full[i] : "(nothing)";
    if (a != b) return fmt::format("{}: item {}\n  whole: {}\n  here:  {}", how, i, a, b);
  }
  return "";
}

}  // namespace

Step C(std::string octets) { return {Step::Kind::kOctets, Side::kClient, std::move(octets), 0}; }
Step S(std::string octets) { return {Step::Kind::kOctets, Side::kServer, std::move(octets), 0}; }
Step gap(Side side, std::uint64_t missing) { return {Step::Kind::kGap, side, {}, missing}; }
Step eof(Side side) { return {Step::Kind::kEof, side, {}, 0}; }

Outcome run(const Script& script, Conversation::Start start,
            const std::function<std::size_t()>& piece) {
  Run run(start);
  for (const Step& step : script) {
    if (step.kind != Step::Kind::kOctets) {
      run.pass(step);
      continue;
    }
    for (std::string_view rest = step.octets; !rest.empty();) {
      const std::string_view part = rest.substr(0, std::max<std::size_t>(piece(), 1));
      // A copy of its own, so that a view kept too long is found by the sanitizers.
      run.feed(step, std::string(part));
      rest.remove_prefix(part.size());
    }
  }
  run.finish();

  std::string masked[2] = {run.masked(Side::kClient), run.masked(Side::kServer)};
  Outcome outcome = std::move(run).outcome();
  outcome.masked = script;
  std::size_t at[2] = {0, 0};
  for (Step& step : outcome.masked) {
    const std::size_t side = index(step.side);
    step.octets = masked[side].substr(at[side], step.octets.size());
    at[side] += step.octets.size() + step.missing;
  }
  return outcome;
}

std::string find_fault(const Script& script, Conversation::Start start, std::size_t max_chunk,
                       std::uint32_t random_splits) {
  std::size_t longest = 0;
  for (const Step& step : script) longest = std::max(longest, step.octets.size());
  const auto whole = run(script, start, [&] { return longest; });
  if (!whole.complaint.empty()) return "whole: " + whole.complaint;

  for (std::size_t size = 1; size < std::min(longest, max_chunk); ++size) {
    const auto fault = compare(whole, run(script, start, [&] { return size; }),
                               fmt::format("in pieces of {}", size));
    if (!fault.empty()) return fault;
  }
  for (std::uint32_t seed = 0; seed < random_splits; ++seed) {
    std::mt19937 random(seed);
    const std::size_t most = std::max<std::size_t>(longest / (1 + seed % 5), 1);
    const auto fault = compare(whole, run(script, start, [&] { return 1 + random() % most; }),
                               fmt::format("split by seed {}", seed));
    if (!fault.empty()) return fault;
  }
  return compare(whole, run(whole.masked, start, [&] { return longest; }),
                 "masked to\n" + to_text(whole.masked));
}

std::string to_text(const Script& script) {
  std::string result;
  for (const Step& step : script) {
    result += step.side == Side::kClient ? "  C " : "  S ";
    if (step.kind == Step::Kind::kGap) result += fmt::format("gap of {}", step.missing);
    if (step.kind == Step::Kind::kEof) result += "eof";
    result += escaped(step.octets) + "\n";
  }
  return result;
}

}  // namespace smtpscope::test
