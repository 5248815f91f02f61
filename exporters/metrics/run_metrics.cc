#include "exporters/metrics/run_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <sstream>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/ascii.h"
#include "timeline/state/refusal_notes.h"

namespace smtpscope {
namespace {

/// Seconds: from a local table to the five minutes that RFC 5321 4.5.3.2 gives most replies.
const prometheus::Histogram::BucketBoundaries kBuckets = {0.001, 0.005, 0.025, 0.1, 0.5, 1,  2.5,
                                                          5,     10,    30,    60,  300, 600};

std::string verb_label(Verb verb) {
  const std::string_view name = to_string(verb);
  return name.empty() ? "other" : in_lower_case(name);
}

/// What a reply answers, where it is no command.
std::string answered_label(const Reply& reply) {
  switch (reply.answers) {
    case Answers::kGreeting:
      return "greeting";
    case Answers::kEndOfData:
      return "end-of-data";
    default:
      return verb_label(reply.verb);
  }
}

std::string class_label(const Reply& reply) {
  const int digit = reply.first_digit();
  return digit >= 2 && digit <= 5 ? std::string(1, static_cast<char>('0' + digit)) + "yz" : "other";
}

}  // namespace

struct RunMetrics::Families {
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
  prometheus::Gauge& open =
      family<prometheus::Gauge>("smtpscope_sessions_open", "Sessions that are open").Add({});
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
};

RunMetrics::RunMetrics(std::string_view version, std::function<RunGauges()> ask)
    : families_(std::make_unique<Families>()), ask_(std::move(ask)) {
  families_->build.Add({{"version", std::string(version)}}).Set(1);
  // There from the beginning, so that a rate is seen at the first of them.
  for (const char* how : {"clean", "unclean"}) families_->sessions.Add({{"ended", how}});
  families_->unreachable.Add({});
  for (const char* side : {"client", "server"}) families_->octets.Add({{"from", side}});
}

RunMetrics::~RunMetrics() = default;

void RunMetrics::on_timeline(const TimelineEvent& event) {
  Families& to = *families_;
  if (std::holds_alternative<TimelineSessionStarted>(event.body)) {
    to.open.Increment();
  } else if (const auto* ended = std::get_if<TimelineSessionEnded>(&event.body)) {
    to.open.Decrement();
    const bool clean = ended->totals != nullptr && ended->totals->ended_cleanly;
    to.sessions.Add({{"ended", clean ? "clean" : "unclean"}}).Increment();
    if (ended->totals == nullptr) return;
    for (const Side side : {Side::kClient, Side::kServer}) {
      to.octets.Add({{"from", side == Side::kClient ? "client" : "server"}})
          .Increment(static_cast<double>(ended->totals->octets[index(side)]));
    }
  } else if (std::holds_alternative<TimelineConnectFailed>(event.body)) {
    to.unreachable.Add({}).Increment();
  } else if (const auto* transaction = std::get_if<TransactionEnded>(&event.body)) {
    to.messages.Add({{"outcome", std::string(to_string(transaction->transaction->outcome))}})
        .Increment();
  } else if (const auto* found = std::get_if<Annotation>(&event.body)) {
    to.findings
        .Add({{"rule", std::string(found->rule->id)},
              {"severity", std::string(to_string(found->severity))}})
        .Increment();
  } else if (const auto* entry = std::get_if<Entry>(&event.body)) {
    if (entry->by_proxy) return;
    const auto seconds = [&] { return std::chrono::duration<double>(*entry->think).count(); };
    if (const auto* reply = std::get_if<Reply>(&entry->item->body)) {
      const std::string answers = answered_label(*reply);
      to.replies.Add({{"answers", answers}, {"class", class_label(*reply)}}).Increment();
      if (entry->think)
        to.waits.Add({{"side", "server"}, {"verb", answers}}, kBuckets).Observe(seconds());
      if (entry->refusal != nullptr) {
        to.refusals
            .Add({{"reason", std::string(to_string(entry->refusal->judged.reason))},
                  {"class", class_label(*reply)}})
            .Increment();
      }
    } else if (const auto* command = std::get_if<Command>(&entry->item->body)) {
      if (entry->think) {
        to.waits.Add({{"side", "client"}, {"verb", verb_label(command->verb)}}, kBuckets)
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
