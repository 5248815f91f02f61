#include "exporters/json/jsonl_exporter.h"

#include <string>
#include <variant>

#include "exporters/json/json_event.h"
#include "exporters/json/json_summary.h"
#include "exporters/json_writer.h"

namespace smtpscope {

// Every record names its session, so there is nothing to arrange: the order is that of time.
JsonlExporter::JsonlExporter(const ExporterOptions& options, Output& output)
    : options_(options),
      output_(output),
      order_(Arrangement::kByTime, !WantedSessions(options).all(), *this),
      wanted_(options) {}

void JsonlExporter::begin_run(const RunInfo& run) {
  run_started_ = run.started;
  wanted_.begin_run(run.started);
  summary_ = {};
  JsonWriter json;
  json.begin_object();
  json.string("event", "run");
  json.members_of(json_of(run));
  if (options_.rules != nullptr) json.object("rules", json_of(*options_.rules));
  json.end_object();
  output_.write(json.take() + "\n");
}

void JsonlExporter::on_timeline(const TimelineEvent& event) {
  summary_.on_timeline(event);
  record_.clear();
  record_.begin_object();
  record_.string("event", kind_of(event));
  record_.number("session", event.session);
  write_members(record_, event, run_started_);
  record_.end_object();
  record_.end_line();
  const std::string_view record = record_.text();
  if (event.session == kWholeRun) {
    output_.write(record);
    return;
  }
  order_.add(event.session, record);
  if (wanted_.on_timeline(event)) order_.want(event.session);
  if (std::holds_alternative<TimelineSessionEnded>(event.body)) {
    order_.end(event.session);
  }
}

void JsonlExporter::end_run() {
  for (const SessionId session : wanted_.end_run()) order_.want(session);
  order_.end_all();
  JsonWriter json;
  json.begin_object();
  json.string("event", "run-ended");
  json.object("summary", json_of(summary_));
  json.end_object();
  output_.write(json.take() + "\n");
}

void JsonlExporter::release(SessionId /*session*/, std::string_view text, Piece /*piece*/) {
  output_.write(text);
}

}  // namespace smtpscope
