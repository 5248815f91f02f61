#include "exporters/json_exporter.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

#include "exporters/json_event.h"
#include "exporters/json_summary.h"
#include "exporters/json_writer.h"

namespace smtpscope {
namespace {

/// A list of objects, one to a line, so that the document can be read and compared by eye.
std::string list_of(const std::vector<std::string>& objects, std::string_view indent) {
  std::string list = "[";
  for (const std::string& object : objects) {
    if (list.size() > 1) list += ',';
    list += '\n';
    list += indent;
    list += object;
  }
  list += ']';
  return list;
}

}  // namespace

/// What has been seen of a session, as JSON already: far smaller than the events themselves.
struct JsonExporter::Session {
  std::size_t run = 0;
  std::string started;    // of session-started; "{}" if it is not in the trace
  std::string connected;  // of connected or connect-failed; may be empty
  bool connect_failed = false;
  std::vector<std::string> entries, silences, annotations, transactions, closes, gaps, stalls,
      blocks;
  std::vector<std::string> handshakes, alerts, asides, rewritten;  // of TLS
  std::vector<std::uint64_t> annotation_numbers;
  std::string ended;  // of session-ended; empty while the session is open
};

JsonExporter::JsonExporter(const ExporterOptions& options, Output& output)
    : options_(options),
      output_(output),
      order_(Arrangement::kBySession, options.annotated_from.has_value(), *this) {}

JsonExporter::~JsonExporter() = default;

void JsonExporter::begin_run(const RunInfo& run) {
  open_document();
  runs_.push_back(json_of(run));
  run_gaps_.clear();
  summary_ = {};
  run_started_ = run.started;
}

void JsonExporter::on_timeline(const TimelineEvent& event) {
  summary_.on_timeline(event);
  std::string json = json_of(event, run_started_);
  if (event.session == kWholeRun) {
    if (std::holds_alternative<TimelineGap>(event.body)) run_gaps_.push_back(std::move(json));
    return;
  }
  Session& session = session_of(event);
  if (std::holds_alternative<TimelineSessionStarted>(event.body)) {
    session.started = std::move(json);
  } else if (std::holds_alternative<TimelineConnected>(event.body)) {
    session.connected = std::move(json);
  } else if (std::holds_alternative<TimelineConnectFailed>(event.body)) {
    session.connected = std::move(json);
    session.connect_failed = true;
  } else if (std::holds_alternative<Entry>(event.body)) {
    session.entries.push_back(std::move(json));
  } else if (std::holds_alternative<Silence>(event.body)) {
    session.silences.push_back(std::move(json));
  } else if (const auto* annotation = std::get_if<Annotation>(&event.body)) {
    session.annotations.push_back(std::move(json));
    session.annotation_numbers.push_back(annotation->number);
    if (is_wanted_annotation(event, options_)) order_.want(event.session);
  } else if (const auto* folded = std::get_if<AnnotationFolded>(&event.body)) {
    const auto& numbers = session.annotation_numbers;
    const auto at = std::find(numbers.begin(), numbers.end(), folded->number);
    if (at == numbers.end()) return;
    std::string& object = session.annotations[static_cast<std::size_t>(at - numbers.begin())];
    JsonWriter with_fold;
    with_fold.begin_object();
    with_fold.members_of(object);
    with_fold.string("folded_under", folded->under);
    with_fold.end_object();
    object = with_fold.take();
  } else if (std::holds_alternative<TransactionEnded>(event.body)) {
    session.transactions.push_back(std::move(json));
  } else if (std::holds_alternative<TimelineClosed>(event.body)) {
    session.closes.push_back(std::move(json));
  } else if (std::holds_alternative<TimelineGap>(event.body)) {
    session.gaps.push_back(std::move(json));
  } else if (std::holds_alternative<TimelineStalled>(event.body)) {
    session.stalls.push_back(std::move(json));
  } else if (std::holds_alternative<TimelineBlocked>(event.body)) {
    session.blocks.push_back(std::move(json));
  } else if (std::holds_alternative<TimelineTls>(event.body)) {
    session.handshakes.push_back(std::move(json));
  } else if (std::holds_alternative<TimelineTlsAlert>(event.body)) {
    session.alerts.push_back(std::move(json));
  } else if (std::holds_alternative<TimelineAside>(event.body)) {
    session.asides.push_back(std::move(json));
  } else if (std::holds_alternative<TimelineRewritten>(event.body)) {
    session.rewritten.push_back(std::move(json));
  } else if (std::holds_alternative<TimelineSessionEnded>(event.body)) {
    session.ended = std::move(json);
    complete(event.session, session);
    open_.erase(event.session);
  }
}

JsonExporter::Session& JsonExporter::session_of(const TimelineEvent& event) {
  std::unique_ptr<Session>& session = open_[event.session];
  if (!session) {
    session = std::make_unique<Session>();
    session->run = runs_.size() - 1;
    session->started = "{}";
    order_.add(event.session, {});  // takes its place in the order
  }
  return *session;
}

void JsonExporter::complete(SessionId id, Session& session) {
  JsonWriter head;
  head.begin_object();
  head.number("session", id);
  head.number("run", session.run);
  head.members_of(session.started);
  head.boolean("complete", !session.ended.empty());
  std::string text = head.take();
  const auto member = [&text](std::string_view name, std::string_view value) {
    text += ",\n  \"";
    text += name;
    text += "\": ";
    text += value;
  };
  if (!session.connected.empty()) {
    member(session.connect_failed ? "connect_failed" : "connected", session.connected);
  }
  member("entries", list_of(session.entries, "    "));
  member("silences", list_of(session.silences, "    "));
  member("annotations", list_of(session.annotations, "    "));
  member("transactions", list_of(session.transactions, "    "));
  member("closes", list_of(session.closes, "    "));
  member("gaps", list_of(session.gaps, "    "));
  member("stalls", list_of(session.stalls, "    "));
  member("blocks", list_of(session.blocks, "    "));
  const auto member_if = [&](std::string_view name, const std::vector<std::string>& list) {
    if (!list.empty()) member(name, list_of(list, "    "));
  };
  member_if("tls", session.handshakes);
  member_if("tls_alerts", session.alerts);
  member_if("asides", session.asides);
  member_if("rewritten", session.rewritten);
  if (!session.ended.empty()) member("end", session.ended);
  text += '}';
  order_.add(id, text);
  order_.end(id);
}

void JsonExporter::end_run() {
  for (auto& [id, session] : open_) complete(id, *session);
  open_.clear();
  order_.end_all();
  std::string& run = runs_.back();
  run.pop_back();
  if (!run_gaps_.empty()) run += ",\n  \"gaps\": " + list_of(run_gaps_, "    ");
  run += ",\n  \"summary\": " + json_of(summary_) + '}';
}

void JsonExporter::release(SessionId /*session*/, std::string_view text, Piece /*piece*/) {
  output_.write(any_session_ ? ",\n" : "\n");
  output_.write(text);
  any_session_ = true;
}

void JsonExporter::open_document() {
  if (std::exchange(opened_, true)) return;
  output_.write("{\"smtpscope\": {\"version\": \"" SMTPSCOPE_VERSION "\", \"format\": 1},\n");
  if (options_.rules != nullptr) output_.write("\"rules\": " + json_of(*options_.rules) + ",\n");
  output_.write("\"sessions\": [");
}

void JsonExporter::finish() {
  open_document();
  output_.write("],\n\"runs\": " + list_of(runs_, "  ") + "}\n");
}

}  // namespace smtpscope
