#include "exporters/metrics/run_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <sstream>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>

#include "base/ascii.h"
#include "timeline/state/refusal_notes.h"

namespace smtpscope {
namespace {

/// Seconds: from a local table to the five minutes that RFC 5321 4.5.3.2 gives most replies.
const prometheus::Histogram::BucketBoundaries kBuckets = {0.001, 0.005, 0.025, 0.1, 0.5, 1,  2.5,
                                                          5,     10,    30,    60,  300, 600};

constexpr std::size_t kVerbs = static_cast<std::size_t>(Verb::kXlink2State) + 1;
constexpr std::size_t kGreetingLabel = kVerbs;
constexpr std::size_t kEndOfDataLabel = kVerbs + 1;
constexpr std::size_t kLabels = kVerbs + 2;

/// What is waited for: a verb, or what a reply answers where it is no command.
std::size_t label_of(const Reply& reply) {
  switch (reply.answers) {
    case Answers::kGreeting:
      return kGreetingLabel;
    case Answers::kEndOfData:
      return kEndOfDataLabel;
    default:
      return static_cast<std::size_t>(reply.verb);
  }
}

std::string label_text(std::size_t label) {
  if (label == kGreetingLabel) return "greeting";
  if (label == kEndOfDataLabel) return "end-of-data";
  const std::string_view name = to_string(static_cast<Verb>(label));
  return name.empty() ? "other" : in_lower_case(name);
}

/// Of a reply's code: 2 to 5, 0 for others.
constexpr std::size_t kClasses = 6;
std::size_t class_of(const Reply& reply) {
  const int digit = reply.first_digit();
  return digit >= 2 && digit <= 5 ? static_cast<std::size_t>(digit) : 0;
}

std::string class_text(std::size_t digit) {
  return digit == 0 ? "other" : std::to_string(digit) + "yz";
}

}  // namespace

struct RunMetrics::Families {
  /// The series of a closed list of labels, each made when it first counts: to look one up by its
  /// labels takes longer than all else that is done for a reply.
  template <typename Metric, std::size_t kSeries>
  class SeriesOnce {
   public:
    template <typename Make>
    Metric& at(std::size_t index, Make make) {
      if (series_[index] == nullptr) series_[index] = &make();
      return *series_[index];
    }

   private:
    std::array<Metric*, kSeries> series_{};
  };

  template <typename Metric>
  prometheus::Family<Metric>& family(const char* name, const char* help) {
    if constexpr (std::is_same_v<Metric, prometheus::Gauge>) {
      return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    } else if constexpr (std::is_same_v<Metric, prometheus::Histogram>) {
      return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    } else {
      return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
  }

  prometheus::Registry registry;
  prometheus::Family<prometheus::Gauge>& build =
      family<prometheus::Gauge>("smtpscope_build_info", "1; which version runs");
  prometheus::Family<prometheus::Counter>& sessions = family<prometheus::Counter>(
      "smtpscope_sessions_total", "Sessions that are over, by how: clean (QUIT and 221), unclean");
  prometheus::Family<prometheus::Gauge>& open =
      family<prometheus::Gauge>("smtpscope_sessions_open", "Sessions that are open");
  prometheus::Family<prometheus::Counter>& unreachable = family<prometheus::Counter>(
      "smtpscope_servers_unreachable_total", "Sessions whose server could not be reached");
  prometheus::Family<prometheus::Counter>& messages = family<prometheus::Counter>(
      "smtpscope_transactions_total", "Mail transactions that ended, by outcome");
  prometheus::Family<prometheus::Counter>& refusals = family<prometheus::Counter>(
      "smtpscope_refusals_total",
      "Replies that refuse, by why (smtpscope reason) and whether for good");
  prometheus::Family<prometheus::Counter>& replies = family<prometheus::Counter>(
      "smtpscope_replies_total", "Replies, by what they answer and the first digit of their code");
  prometheus::Family<prometheus::Histogram>& waits = family<prometheus::Histogram>(
      "smtpscope_wait_seconds",
      "How long a side took: the server for a reply, the client for a command");
  prometheus::Family<prometheus::Counter>& findings =
      family<prometheus::Counter>("smtpscope_findings_total", "Findings, by rule and severity");
  prometheus::Family<prometheus::Counter>& octets = family<prometheus::Counter>(
      "smtpscope_octets_total", "Octets of sessions that are over, by the side that sent them");
  prometheus::Counter& lost =
      family<prometheus::Counter>("smtpscope_lost_events_total",
                                  "Events that are missing from the record; mail was not delayed")
          .Add({});
  prometheus::Gauge& queued =
      family<prometheus::Gauge>("smtpscope_queued_octets", "Octets that wait for the tracer")
          .Add({});
  prometheus::Gauge& unwritten =
      family<prometheus::Gauge>("smtpscope_unwritten_octets", "Octets that wait for the disk")
          .Add({});
  prometheus::Gauge& resident =
      family<prometheus::Gauge>("process_resident_memory_bytes", "Resident memory size in bytes")
          .Add({});

  /// What is counted of a route.
  struct RouteSeries {
    std::string name;  // of the route; "" if it has none
    SeriesOnce<prometheus::Counter, kLabels * kClasses> replies;
    SeriesOnce<prometheus::Histogram, kLabels> server_waits;
    SeriesOnce<prometheus::Histogram, kLabels> client_waits;
    SeriesOnce<prometheus::Counter, 2> ended;
    SeriesOnce<prometheus::Counter, 2> octets;
    SeriesOnce<prometheus::Counter, static_cast<std::size_t>(Outcome::kUnknown) + 1> outcomes;

    prometheus::Labels labels(prometheus::Labels labels) const {
      if (!name.empty()) labels["route"] = name;
      return labels;
    }
  };

  // From here on of the tracer's thread alone.
  RouteSeries nameless;
  std::unordered_map<std::string, RouteSeries> named;          // by the route's name
  std::unordered_map<SessionId, RouteSeries*> of_named_route;  // sessions that are open

  RouteSeries& route(const std::string& name) {
    if (name.empty()) return nameless;
    RouteSeries& series = named[name];
    series.name = name;
    return series;
  }
  RouteSeries& route_of(SessionId session) {
    if (of_named_route.empty()) return nameless;
    const auto at = of_named_route.find(session);
    return at == of_named_route.end() ? nameless : *at->second;
  }
};

RunMetrics::RunMetrics(std::string_view version, std::function<RunGauges()> ask,
                       const std::vector<std::string>& routes)
    : families_(std::make_unique<Families>()), ask_(std::move(ask)) {
  families_->build.Add({{"version", std::string(version)}}).Set(1);
  // There from the beginning, so that a rate is seen at the first of them.
  for (const std::string& route : routes) {
    const Families::RouteSeries& series = families_->route(route);
    const auto labels = [&](prometheus::Labels all) { return series.labels(std::move(all)); };
    for (const char* how : {"clean", "unclean"}) families_->sessions.Add(labels({{"ended", how}}));
    families_->open.Add(labels({}));
    families_->unreachable.Add(labels({}));
    for (const char* side : {"client", "server"}) families_->octets.Add(labels({{"from", side}}));
  }
}

RunMetrics::~RunMetrics() = default;

void RunMetrics::on_timeline(const TimelineEvent& event) {
  Families& to = *families_;
  const auto* started = std::get_if<TimelineSessionStarted>(&event.body);
  if (started != nullptr && !started->route.empty()) {
    to.of_named_route.emplace(event.session, &to.route(std::string(started->route)));
  }
  Families::RouteSeries& of = to.route_of(event.session);
  if (started != nullptr) {
    to.open.Add(of.labels({})).Increment();
  } else if (const auto* ended = std::get_if<TimelineSessionEnded>(&event.body)) {
    to.of_named_route.erase(event.session);
    to.open.Add(of.labels({})).Decrement();
    const bool clean = ended->totals != nullptr && ended->totals->ended_cleanly;
    of.ended
        .at(
            clean ? 0 : 1,
            [&]() -> auto& {
              return to.sessions.Add(of.labels({{"ended", clean ? "clean" : "unclean"}}));
            })
        .Increment();
    if (ended->totals == nullptr) return;
    for (const Side side : {Side::kClient, Side::kServer}) {
      of.octets
          .at(
              index(side),
              [&]() -> auto& {
                const char* const from = side == Side::kClient ? "client" : "server";
                return to.octets.Add(of.labels({{"from", from}}));
              })
          .Increment(static_cast<double>(ended->totals->octets[index(side)]));
    }
  } else if (std::holds_alternative<TimelineConnectFailed>(event.body)) {
    to.unreachable.Add(of.labels({})).Increment();
  } else if (const auto* transaction = std::get_if<TransactionEnded>(&event.body)) {
    const Outcome outcome = transaction->transaction->outcome;
    of.outcomes
        .at(
            static_cast<std::size_t>(outcome),
            [&]() -> auto& {
              return to.messages.Add(of.labels({{"outcome", std::string(to_string(outcome))}}));
            })
        .Increment();
  } else if (const auto* found = std::get_if<Annotation>(&event.body)) {
    to.findings
        .Add(of.labels({{"rule", std::string(found->rule->id)},
                        {"severity", std::string(to_string(found->severity))}}))
        .Increment();
  } else if (const auto* entry = std::get_if<Entry>(&event.body)) {
    if (entry->by_proxy) return;
    const auto seconds = [&] { return std::chrono::duration<double>(*entry->think).count(); };
    const auto wait = [&](const char* side, std::size_t label) -> prometheus::Histogram& {
      return to.waits.Add(of.labels({{"side", side}, {"verb", label_text(label)}}), kBuckets);
    };
    if (const auto* reply = std::get_if<Reply>(&entry->item->body)) {
      const std::size_t answers = label_of(*reply);
      const std::size_t digit = class_of(*reply);
      of.replies
          .at(
              answers * kClasses + digit,
              [&]() -> auto& {
                return to.replies.Add(
                    of.labels({{"answers", label_text(answers)}, {"class", class_text(digit)}}));
              })
          .Increment();
      if (entry->think) {
        of.server_waits
            .at(
                answers, [&]() -> auto& { return wait("server", answers); })
            .Observe(seconds());
      }
      if (entry->refusal != nullptr) {
        to.refusals
            .Add(of.labels({{"reason", std::string(to_string(entry->refusal->judged.reason))},
                            {"class", class_text(digit)}}))
            .Increment();
      }
    } else if (const auto* command = std::get_if<Command>(&entry->item->body)) {
      if (entry->think) {
        const auto verb = static_cast<std::size_t>(command->verb);
        of.client_waits
            .at(
                verb, [&]() -> auto& { return wait("client", verb); })
            .Observe(seconds());
      }
    }
  }
}

std::string RunMetrics::text() const {
  const RunGauges now = ask_();
  Families& to = *families_;
  if (const auto more = static_cast<double>(now.lost_events) - to.lost.Value(); more > 0) {
    to.lost.Increment(more);
  }
  to.queued.Set(static_cast<double>(now.queued_octets));
  to.unwritten.Set(static_cast<double>(now.unwritten_octets));
  to.resident.Set(static_cast<double>(now.resident_octets));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, to.registry.Collect());
  return out.str();
}

}  // namespace smtpscope
