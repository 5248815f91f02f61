#include "exporters/json/json_summary.h"

#include "exporters/json_writer.h"

namespace smtpscope {
namespace {

template <std::size_t N>
void write_severities(JsonWriter& json, const std::array<std::uint64_t, N>& counts) {
  json.begin_object("sessions_by_worst");
  for (std::size_t i = 0; i < N; ++i) {
    json.number_if(to_string(static_cast<Severity>(i)), counts[i]);
  }
  json.end_object();
}

}  // namespace

std::string json_of(const RunSummary& summary) {
  JsonWriter json;
  json.begin_object();
  json.number("sessions", summary.sessions());
  json.number_if("open", summary.open());
  json.number_if("unreachable", summary.unreachable());
  write_severities(json, summary.sessions_by_worst());
  json.begin_object("outcomes");
  for (std::size_t i = 0; i < summary.outcomes().size(); ++i) {
    json.number_if(to_string(static_cast<Outcome>(i)), summary.outcomes()[i]);
  }
  json.end_object();
  json.begin_object("refusals");
  for (const auto& [reason, count] : summary.refusals()) json.number(to_string(reason), count);
  json.end_object();
  json.begin_array("rules");
  for (const RunSummary::RuleCount& count : summary.rules()) {
    json.begin_object();
    json.string("rule", count.rule->id);
    json.string("worst", to_string(count.worst()));
    json.number("findings", count.findings());
    json.number("sessions", count.sessions);
    json.end_object();
  }
  json.end_array();
  json.begin_array("silences");
  for (const RunSummary::LongSilence& silence : summary.silences()) {
    json.begin_object();
    json.number("session", silence.session);
    json.time("from", silence.from);
    json.duration("length", silence.length());
    json.string("silent", to_string(silence.silent));
    json.string_if("owed", silence.owed);
    json.end_object();
  }
  json.end_array();
  json.begin_array("clients");
  for (const auto& [host, totals] : summary.clients()) {
    json.begin_object();
    json.wire("client", host);
    json.number("sessions", totals.sessions);
    json.number("transactions", totals.transactions);
    json.number("delivered", totals.delivered);
    json.number("octets", totals.octets);
    write_severities(json, totals.sessions_by_worst);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string json_of(const RuleSet& rules) {
  JsonWriter json;
  json.begin_object();
  json.begin_array("off");
  for (const std::string_view id : rules.off()) json.element(id);
  json.end_array();
  json.begin_object("thresholds");
  for (const ThresholdKind& kind : all_thresholds()) {
    json.string(kind.name(), threshold_text(kind.unit, rules.thresholds().value(kind.threshold)));
  }
  json.end_object();
  json.end_object();
  return json.take();
}

}  // namespace smtpscope
