#include "exporters/comparison/comparison_json.h"

#include "diff/runs/difference_words.h"
#include "exporters/json/json_event.h"
#include "exporters/json/json_summary.h"
#include "exporters/json_writer.h"

namespace smtpscope {
namespace {

void add_run(JsonWriter& json, std::string_view name, const RunRecord& run) {
  json.begin_object(name);
  json.members_of(json_of(run.info));
  json.number("sessions", run.sessions.size());
  json.end_object();
}

void add_counts(JsonWriter& json, const DifferenceCounts& counts) {
  json.begin_object("counts");
  for (std::size_t i = 0; i < kDifferenceKinds; ++i) {
    const auto kind = static_cast<DifferenceKind>(i);
    json.number_if(to_string(kind), counts.of(kind));
  }
  json.end_object();
}

void add_set_aside(JsonWriter& json, const SetAsideLog& log) {
  json.begin_object("set_aside");
  for (const auto& [name, count] : log.counts()) json.number_of(name, count);
  json.end_object();
}

void add_difference(JsonWriter& json, const SessionComparison& session,
                    const Difference& difference, const RunSeries* series) {
  json.begin_object();
  json.string("kind", to_string(difference.kind));
  json.string("group", to_string(group_of(difference.kind)));
  json.wire("subject", difference.subject);
  if (!difference.before.empty()) json.wire("before", difference.before);
  if (!difference.after.empty()) json.wire("after", difference.after);
  if (difference.kind == DifferenceKind::kTiming) {
    json.duration("before", difference.time_before);
    json.duration("after", difference.time_after);
  }
  json.number_if("entry_before", difference.entry_before);
  json.number_if("entry_after", difference.entry_after);
  json.number_if("transaction_before", difference.transaction_before);
  json.number_if("transaction_after", difference.transaction_after);
  json.string_if("words", change_words(difference));
  if (series != nullptr) json.boolean("flickers", series->flickers(session, difference));
  json.end_object();
}

void add_session(JsonWriter& json, const SessionComparison& session, const RunSeries* series) {
  json.begin_object();
  if (session.before != nullptr) json.number("before", session.before->id);
  if (session.after != nullptr) json.number("after", session.after->id);
  json.number("exchanges", session.rows.size());
  json.begin_array("differences");
  for (const Difference& each : session.differences) add_difference(json, session, each, series);
  json.end_array();
  json.begin_array("set_aside");
  for (const SetAsidePair& pair : session.set_aside.pairs()) {
    json.begin_object();
    json.string("normalizer", pair.normalizer);
    json.wire("before", pair.before);
    json.wire("after", pair.after);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

}  // namespace

std::string json_of(const RunComparison& comparison, const RunSeries* series) {
  JsonWriter json;
  json.begin_object();
  add_run(json, "before", *comparison.before);
  add_run(json, "after", *comparison.after);
  json.boolean("same", comparison.same());
  add_counts(json, comparison.counts);
  add_set_aside(json, comparison.set_aside);
  json.number("exchanges", comparison.exchanges);
  json.number("messages", comparison.messages);
  json.number("messages_in_part", comparison.messages_in_part);
  json.begin_array("sessions");
  for (const SessionComparison& each : comparison.sessions) add_session(json, each, series);
  json.end_array();
  json.end_object();
  return json.take();
}

std::string json_of(const RunSeries& series) {
  JsonWriter json;
  json.begin_object();
  add_run(json, "base", series.base());
  json.number("runs", series.runs());
  json.number("exchanges", series.exchanges());
  json.number("stable_exchanges", series.stable());
  json.begin_array("flickers");
  for (const Flicker& each : series.flickers()) {
    json.begin_object();
    json.string("kind", to_string(each.kind));
    json.number_if("session", each.session);
    json.wire("subject", each.subject);
    json.number("runs", each.runs);
    if (!each.base.empty()) json.wire("base", each.base);
    json.begin_array("values");
    for (const std::string& value : each.values) json.element(value);
    json.end_array();
    if (each.kind == DifferenceKind::kTiming) {
      json.duration("shortest", each.shortest);
      json.duration("longest", each.longest);
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string comparison_document(const std::vector<std::string>& comparisons,
                                const std::string& baseline, const RuleSet& rules) {
  std::string text = "{\"smtpscope\": {\"version\": \"" SMTPSCOPE_VERSION "\", \"format\": 1},\n";
  text += "\"rules\": " + json_of(rules) + ",\n";
  if (!baseline.empty()) text += "\"baseline\": " + baseline + ",\n";
  text += "\"comparisons\": [";
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    text += i == 0 ? "\n  " : ",\n  ";
    text += comparisons[i];
  }
  return text + "]}\n";
}

}  // namespace smtpscope
