#include "diff/taps/taps_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/ascii.h"
#include "base/counted.h"
#include "diff/reply_text.h"
#include "parser/command_line.h"
#include "timeline/duration_text.h"
#include "timeline/rule_words.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

/// More names than this are counted only.
constexpr std::size_t kNamed = 6;
/// Of words that are quoted, so many octets.
constexpr std::size_t kQuotedOctets = 80;
/// What is listed of a rule's causes and advice; `smtpscope explain` has them all.
constexpr std::size_t kLikelyCauses = 2;
constexpr std::size_t kNextChecks = 3;

/// Things by name, each with how often it came, in the order in which they came first.
class NameCounts {
 public:
  void add(std::string name) {
    const auto [at, is_new] = places_.try_emplace(name, names_.size());
    if (is_new) names_.push_back({std::move(name), 0});
    ++names_[at->second].count;
    ++all_;
  }
  bool empty() const { return names_.empty(); }
  std::uint64_t all() const { return all_; }

  /// "RSET twice, MAIL and RCPT".
  std::string words() const {
    std::string text;
    const std::size_t shown = std::min(names_.size(), kNamed);
    for (std::size_t i = 0; i < shown; ++i) {
      if (i > 0) text += i + 1 == names_.size() ? " and " : ", ";
      const auto& [name, count] = names_[i];
      text += name;
      if (count == 2) text += " twice";
      if (count > 2) text += fmt::format(" {} times", count);
    }
    if (names_.size() > shown) text += fmt::format(" and {} more", names_.size() - shown);
    return text;
  }

 private:
  struct Named {
    std::string name;
    std::uint64_t count = 0;
  };
  std::vector<Named> names_;
  std::unordered_map<std::string, std::size_t> places_;  // in names_
  std::uint64_t all_ = 0;
};

std::string in_quotes(std::string_view words) {
  const std::string_view line = first_reply_line(words);
  return fmt::format("\"{}{}\"", line.substr(0, kQuotedOctets),
                     line.size() > kQuotedOctets ? "..." : "");
}

/// What a change is about, in a word or two: the verb, "the greeting", "the message".
std::string thing_of(const TapsChange& change) {
  switch (change.exchange) {
    case ExchangeKind::kGreeting:
      return "the greeting";
    case ExchangeKind::kMailData:
      return "the message";
    case ExchangeKind::kAuthResponse:
      return "the answer to a challenge";
    case ExchangeKind::kUnasked:
      return in_quotes(change.near_server.empty() ? change.near_client : change.near_server);
    case ExchangeKind::kTls:
      return "TLS";
    case ExchangeKind::kCommand:
    case ExchangeKind::kOther:
      break;
  }
  if (change.verb != Verb::kUnknown) return std::string(to_string(change.verb));
  const std::string_view line =
      change.near_client.empty() ? change.near_server : change.near_client;
  return std::string(split_command(line).word);
}

/// Writes the clauses of one set of changes.
class ClauseWriter {
 public:
  explicit ClauseWriter(std::span<const TapsChange> changes) : changes_(changes) {}

  std::vector<std::string> write() {
    using enum TapsChangeKind;
    injected();
    list(kCommandReordered, "it sent the server in another order: {}");
    dropped();
    list(kCommandRewritten, "it changed what the client sent: {}");
    answered();
    list(kReplyInjected, "it gave the client replies that the server did not give: {}");
    list(kReplyDropped, "it withheld replies of the server from the client: {}");
    list(kReplyRewritten, "it changed what the server replied: {}", replied_to);
    list(kKeywordMasked, "it wrote over what the server offers: {}", &subject_of);
    list(kKeywordRemoved, "it hid what the server offers: {}", &subject_of);
    list(kKeywordAdded, "it offered the client what the server does not: {}", &subject_of);
    list(kKeywordRewritten, "it changed how the server offers {}", &subject_of);
    messages();
    tls();
    delayed();
    return std::move(clauses_);
  }

 private:
  using Namer = std::function<std::string(const TapsChange&)>;

  static std::string subject_of(const TapsChange& change) { return change.subject; }
  static std::string replied_to(const TapsChange& change) {
    return change.exchange == ExchangeKind::kGreeting
               ? std::string("the greeting")
               : fmt::format("the reply to {}", thing_of(change));
  }

  NameCounts counted_names(const std::function<bool(const TapsChange&)>& wanted,
                           const Namer& name) const {
    NameCounts names;
    for (const TapsChange& each : changes_) {
      if (wanted(each)) names.add(name(each));
    }
    return names;
  }

  void say(std::string clause) { clauses_.push_back(std::move(clause)); }

  void list(TapsChangeKind kind, fmt::string_view words, const Namer& name = thing_of) {
    const NameCounts names =
        counted_names([=](const TapsChange& each) { return each.kind == kind; }, name);
    if (!names.empty()) say(fmt::format(fmt::runtime(words), names.words()));
  }

  void injected() {
    const auto of = [&](bool again) {
      return counted_names(
          [=](const TapsChange& each) {
            return each.kind == TapsChangeKind::kCommandInjected && each.again == again;
          },
          thing_of);
    };
    if (const NameCounts names = of(false); !names.empty()) {
      say(fmt::format("it sent the server {}, which the client never sent", names.words()));
    }
    if (const NameCounts names = of(true); !names.empty()) {
      say(fmt::format("it sent the server {} once more than the client sent {}", names.words(),
                      names.all() == 1 ? "it" : "them"));
    }
  }

  void dropped() {
    list(TapsChangeKind::kCommandDropped, "it withheld from the server what the client sent: {}",
         [](const TapsChange& change) {
           return change.answer.empty()
                      ? thing_of(change)
                      : fmt::format("{} (answered {})", thing_of(change), in_quotes(change.answer));
         });
  }

  /// The client's answer to something that the server had not yet been asked.
  void answered() {
    std::vector<const TapsChange*> found;
    for (const TapsChange& each : changes_) {
      if (each.kind == TapsChangeKind::kAnsweredBetween) found.push_back(&each);
    }
    if (found.empty()) return;
    NameCounts names;
    std::optional<Duration> most;
    for (const TapsChange* each : found) {
      names.add(thing_of(*each));
      if (each->time && (!most || *each->time > *most)) most = each->time;
    }
    std::string clause = fmt::format("it answered {} itself", names.words());
    if (most) {
      clause += fmt::format(": the client had its answer {}{} before the server was asked",
                            found.size() > 1 ? "up to " : "", duration_text(*most));
    }
    if (found.size() == 1) {
      clause += fmt::format(", {}", in_quotes(found.front()->near_client));
      if (!found.front()->near_server.empty()) {
        clause += fmt::format(" (the server said {})", in_quotes(found.front()->near_server));
      }
    }
    say(std::move(clause));
  }

  void messages() {
    using enum TapsChangeKind;
    list(kMessageDropped, "it withheld from the server: {}");
    list(kMessageInjected, "it sent the server, which the client did not: {}");
    list(kHeaderAdded, "it added to the message the header field {}", &subject_of);
    list(kHeaderRemoved, "it removed from the message the header field {}", &subject_of);
    list(kHeaderRewritten, "it changed in the message the header field {}", &subject_of);
    list(kHeaderMoved, "it moved in the message the header field {}", &subject_of);
    list(kBodyRewritten, "it changed the message: {}", &subject_of);
    list(kSizeChanged, "it changed the {}", &subject_of);
    list(kLineEndsChanged, "it changed the {}", &subject_of);
    list(kDotStuffing, "it stuffed or removed a dot at the beginning of a line: {}", &subject_of);
  }

  void tls() {
    list(TapsChangeKind::kTlsEnded, "it ends the client's TLS itself: {}",
         [](const TapsChange& change) {
           return fmt::format("near the client {}, near the server {}", change.near_client,
                              change.near_server);
         });
  }

  void delayed() {
    for (const bool back : {false, true}) {
      NameCounts names;
      Duration most{};
      for (const TapsChange& each : changes_) {
        if (each.kind != TapsChangeKind::kDelayed || each.on_the_way_back != back) continue;
        names.add(back ? replied_to(each) : thing_of(each));
        most = std::max(most, each.time.value_or(Duration{}));
      }
      if (names.empty()) continue;
      say(fmt::format("it held {} for {}{}", names.words(), names.all() > 1 ? "up to " : "",
                      duration_text(most)));
    }
  }

  const std::span<const TapsChange> changes_;
  std::vector<std::string> clauses_;
};

class TapsVerdictWriter {
 public:
  explicit TapsVerdictWriter(const TapsComparison& comparison) : comparison_(comparison) {}

  std::vector<VerdictLine> write() {
    for (const TapsDialogue& each : comparison_.dialogues) {
      all_.insert(all_.end(), each.changes.begin(), each.changes.end());
      messages_ += each.messages;
      messages_in_part_ += each.messages_in_part;
      for (const TapsRow& row : each.rows) exchanges_ += row.both() ? 1 : 0;
    }
    if (comparison_.changed()) {
      something();
    } else {
      nothing();
    }
    delay();
    limits();
    return std::move(lines_);
  }

 private:
  using enum VerdictKind;

  void say(VerdictKind kind, std::string text) {
    lines_.push_back({.kind = kind, .text = std::move(text)});
  }

  void something() {
    const bool only_late = std::ranges::all_of(
        all_, [](const TapsChange& each) { return each.kind == TapsChangeKind::kDelayed; });
    if (all_.empty()) {
      say(kFinding, "Some sessions were seen at one tap only");
    } else if (only_late) {
      say(kFinding, "Something between the two taps holds the dialogue up. It changes nothing");
    } else {
      const auto touched = std::ranges::count_if(
          comparison_.dialogues, [](const TapsDialogue& each) { return !each.changes.empty(); });
      say(kFinding,
          fmt::format("Something between the two taps takes part in the dialogue{}",
                      comparison_.dialogues.size() == 1
                          ? ""
                          : fmt::format(" ({} of {})", touched,
                                        counted(comparison_.dialogues.size(), "dialogue"))));
    }
    for (std::string& clause : taps_clauses(all_)) say(kFinding, as_sentence(std::move(clause)));
    connections();
    lone(comparison_.only_near_client, TapsLoneSession::Meaning::kBlocked,
         "never reached the server");
    lone(comparison_.only_near_server, TapsLoneSession::Meaning::kOpened,
         "with the server it opened by itself, or another client behind it did");
    const bool only_usual = !only_late && std::ranges::all_of(all_, &TapsChange::usual);
    if (only_usual && !all_.empty()) {
      say(kLikely,
          "A mail server that is meant to be there: all that it adds is a trace of itself");
    } else if (!only_late) {
      for (const std::string& cause : first_of(kCausesHeading, kLikelyCauses)) say(kLikely, cause);
    }
    say(kCheck, words_of(kTwoPointDivergence).text(kTellApartHeading));
    for (const std::string& step : first_of(kAdviceHeading, kNextChecks)) {
      // The first is what has just been done.
      if (!step.starts_with("Record")) say(kCheck, step);
    }
  }

  /// Of a list of the rule's page.
  static std::span<const std::string> first_of(std::string_view heading, std::size_t count) {
    const std::span<const std::string> entries = words_of(kTwoPointDivergence).parts(heading);
    return entries.first(std::min(entries.size(), count));
  }

  /// Connections that it shares between clients, or has more of than the client.
  void connections() {
    std::size_t near_client = 0, near_server = 0;
    for (const TapsDialogue& each : comparison_.dialogues) {
      if (each.near_client.size() == 1 && each.near_server.size() == 1) continue;
      near_client += each.near_client.size();
      near_server += each.near_server.size();
    }
    if (near_client + near_server == 0) return;
    say(kFinding, fmt::format("For {} of the client it used {} to the server",
                              counted(near_client, "connection"), near_server));
  }

  void lone(const std::vector<TapsLoneSession>& sessions, TapsLoneSession::Meaning meaning,
            std::string_view what) {
    std::uint64_t count = 0;
    bool doubtful = false;
    for (const TapsLoneSession& each : sessions) {
      if (each.meaning != meaning) continue;
      ++count;
      doubtful = doubtful || each.after_the_other;
    }
    if (count == 0) return;
    say(kFinding,
        fmt::format("{} {}{}", counted(count, "session"), what,
                    doubtful ? ", if the other capture was still being written then" : ""));
  }

  void nothing() {
    say(kNoFault,
        fmt::format(
            "Nothing between the two taps changed anything: {} and {} are the same at both, "
            "octet by octet",
            counted(exchanges_, "exchange"), counted(messages_, "message")));
  }

  void delay() {
    const TapsDelays& delays = comparison_.delays;
    if (delays.exchanges == 0) return;
    std::string text = fmt::format(
        "What lies between the taps takes {} for an exchange, there and "
        "back (median of {})",
        duration_text(delays.median), delays.exchanges);
    if (delays.exchanges > 1) text += fmt::format("; {} at most", duration_text(delays.most));
    say(kWaiting, std::move(text));
  }

  /// What a comparison of two traces cannot tell.
  void limits() {
    if (comparison_.changed()) {
      say(kNotEvaluated,
          "Not known: which program it is, and on which host between the two taps it runs");
    }
    NameCounts notes;
    for (const TapsDialogue& each : comparison_.dialogues) {
      for (const std::string& note : each.not_evaluated) notes.add(note);
    }
    if (!notes.empty()) say(kNotEvaluated, as_sentence(notes.words()));
    if (messages_in_part_ > 0) {
      say(kNotEvaluated,
          fmt::format(
              "Not compared: what the captures do not hold of {} (--message full keeps everything)",
              counted(messages_in_part_, "message")));
    }
    say(kNotEvaluated, "Not compared: credentials (masked)");
    if (!comparison_.clock.whole().known) {
      say(kNotEvaluated,
          "Not known: how far apart the two clocks are: no answer is surely the server's own; so "
          "one way "
          "alone "
          "could not be timed");
    }
  }

  const TapsComparison& comparison_;
  std::vector<TapsChange> all_;
  std::uint64_t exchanges_ = 0, messages_ = 0, messages_in_part_ = 0;
  std::vector<VerdictLine> lines_;
};

}  // namespace

std::vector<std::string> taps_clauses(std::span<const TapsChange> changes) {
  return ClauseWriter(changes).write();
}

std::string as_sentence(std::string clause) {
  if (!clause.empty()) clause.front() = upper(clause.front());
  return clause;
}

std::vector<VerdictLine> taps_verdict(const TapsComparison& comparison) {
  return TapsVerdictWriter(comparison).write();
}

}  // namespace smtpscope
