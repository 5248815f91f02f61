#include "exporters/json/json_exporter.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <iterator>
#include <utility>
#include <variant>

#include "exporters/json/json_event.h"
#include "exporters/json/json_summary.h"
#include "exporters/json_writer.h"

namespace smtpscope {
namespace {

/// Annotations of a session that a later one may still be folded into in place: it mostly comes
/// with the next few.
constexpr std::size_t kFoldable = 64;

using Take = std::function<void(std::string_view)>;

/// A list of objects, one to a line, so that the document can be read and compared by eye.
void add_to_list(SpooledText& list, std::string_view object) {
  list.add(list.empty() ? "\n    " : ",\n    ");
  list.add(object);
}

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
struct JsonExporter::Timeline {
  explicit Timeline(Spool& spool)
      : entries(spool),
        silences(spool),
        annotations(spool),
        folds(spool),
        transactions(spool),
        closes(spool),
        gaps(spool),
        stalls(spool),
        blocks(spool),
        handshakes(spool),
        alerts(spool),
        asides(spool),
        rewritten(spool),
        remarks(spool),
        tcp(spool) {}

  struct Foldable {
    std::uint64_t number = 0;
    std::string json;
  };

  std::size_t run = 0;
  std::string started = "{}";  // of session-started
  bool complete = false;
  std::string connected;  // of connected or connect-failed; may be empty
  bool connect_failed = false;
  SpooledText entries, silences, annotations, folds, transactions, closes, gaps, stalls, blocks;
  SpooledText handshakes, alerts, asides, rewritten;  // of TLS
  SpooledText remarks;
  SpooledText tcp;
  std::deque<Foldable> last_annotations;  // not among `annotations` yet
  std::string ended;                      // of session-ended; empty while it is open

  void read(SessionId id, const Take& take) const;
};

struct JsonExporter::Session {
  SessionId id = 0;
  bool wanted = false;
  std::unique_ptr<Timeline> timeline;  // nullptr: it has ended
  std::unique_ptr<SpooledText> whole;  // then, while it waits for its turn
};

JsonExporter::JsonExporter(const ExporterOptions& options, Output& output, std::size_t held)
    : options_(options), output_(output), spool_(held), wanted_(options) {}

JsonExporter::~JsonExporter() = default;

void JsonExporter::begin_run(const RunInfo& run) {
  open_document();
  runs_.push_back(json_of(run));
  run_gaps_ = std::make_unique<SpooledText>(spool_);
  summary_ = {};
  run_started_ = run.started;
  wanted_.begin_run(run.started);
}

void JsonExporter::on_timeline(const TimelineEvent& event) {
  summary_.on_timeline(event);
  std::string json = json_of(event, run_started_);
  if (event.session == kWholeRun) {
    if (std::holds_alternative<TimelineGap>(event.body)) add_to_list(*run_gaps_, json);
    return;
  }
  Session& session = session_of(event);
  if (wanted_.on_timeline(event)) session.wanted = true;
  add(session, event, std::move(json));
  if (std::holds_alternative<TimelineSessionEnded>(event.body)) {
    end(session);
    write_ended();
  }
}

void JsonExporter::add(Session& session, const TimelineEvent& event, std::string json) {
  Timeline& timeline = *session.timeline;
  if (std::holds_alternative<TimelineSessionStarted>(event.body)) {
    timeline.started = std::move(json);
  } else if (std::holds_alternative<TimelineConnected>(event.body)) {
    timeline.connected = std::move(json);
  } else if (std::holds_alternative<TimelineConnectFailed>(event.body)) {
    timeline.connected = std::move(json);
    timeline.connect_failed = true;
  } else if (std::holds_alternative<Entry>(event.body)) {
    add_to_list(timeline.entries, json);
  } else if (std::holds_alternative<Silence>(event.body)) {
    add_to_list(timeline.silences, json);
  } else if (const auto* annotation = std::get_if<Annotation>(&event.body)) {
    timeline.last_annotations.push_back({annotation->number, std::move(json)});
    settle_annotations(timeline, kFoldable);
  } else if (const auto* folded = std::get_if<AnnotationFolded>(&event.body)) {
    fold(timeline, *folded);
  } else if (std::holds_alternative<TransactionEnded>(event.body)) {
    add_to_list(timeline.transactions, json);
  } else if (std::holds_alternative<TimelineClosed>(event.body)) {
    add_to_list(timeline.closes, json);
  } else if (std::holds_alternative<TimelineGap>(event.body)) {
    add_to_list(timeline.gaps, json);
  } else if (std::holds_alternative<TimelineStalled>(event.body)) {
    add_to_list(timeline.stalls, json);
  } else if (std::holds_alternative<TimelineBlocked>(event.body)) {
    add_to_list(timeline.blocks, json);
  } else if (std::holds_alternative<TimelineTls>(event.body)) {
    add_to_list(timeline.handshakes, json);
  } else if (std::holds_alternative<TimelineTlsAlert>(event.body)) {
    add_to_list(timeline.alerts, json);
  } else if (std::holds_alternative<TimelineAside>(event.body)) {
    add_to_list(timeline.asides, json);
  } else if (std::holds_alternative<TimelineRewritten>(event.body)) {
    add_to_list(timeline.rewritten, json);
  } else if (std::holds_alternative<TimelineRemark>(event.body)) {
    add_to_list(timeline.remarks, json);
  } else if (std::holds_alternative<TimelineTcp>(event.body)) {
    add_to_list(timeline.tcp, json);
  } else if (const auto* ended = std::get_if<TimelineSessionEnded>(&event.body)) {
    timeline.complete = !ended->unfinished;
    timeline.ended = std::move(json);
  }
}

/// An annotation that may be far behind: then it is told apart from it.
void JsonExporter::fold(Timeline& timeline, const AnnotationFolded& folded) {
  auto& last = timeline.last_annotations;
  const auto at = std::ranges::find(last, folded.number, &Timeline::Foldable::number);
  JsonWriter json;
  json.begin_object();
  if (at != last.end()) {
    json.members_of(at->json);
  } else {
    json.number("number", folded.number);
  }
  json.string("folded_under", folded.under);
  json.end_object();
  if (at != last.end()) {
    at->json = json.take();
  } else {
    add_to_list(timeline.folds, json.text());
  }
}

void JsonExporter::settle_annotations(Timeline& timeline, std::size_t kept) {
  auto& last = timeline.last_annotations;
  for (; last.size() > kept; last.pop_front()) {
    add_to_list(timeline.annotations, last.front().json);
  }
}

JsonExporter::Session& JsonExporter::session_of(const TimelineEvent& event) {
  const auto behind = sessions_.upper_bound({event.session, ~std::uint64_t{0}});
  std::uint64_t times = 0;
  if (behind != sessions_.begin()) {
    const auto& [key, last] = *std::prev(behind);
    if (key.first == event.session) {
      if (last->timeline) return *last;
      times = key.second + 1;
    }
  }
  std::unique_ptr<Session>& session = sessions_[{event.session, times}];
  session = std::make_unique<Session>();
  session->id = event.session;
  session->wanted = wanted_.all();
  session->timeline = std::make_unique<Timeline>(spool_);
  session->timeline->run = runs_.size() - 1;
  return *session;
}

void JsonExporter::Timeline::read(SessionId id, const Take& take) const {
  JsonWriter head;
  head.begin_object();
  head.number("session", id);
  head.number("run", run);
  head.members_of(started);
  head.boolean("complete", complete);
  take(head.text());
  const auto name = [&take](std::string_view text) {
    take(",\n  \"");
    take(text);
    take("\": ");
  };
  const auto member = [&](std::string_view text, std::string_view object) {
    name(text);
    take(object);
  };
  const auto list = [&](std::string_view text, const SpooledText& objects) {
    name(text);
    take("[");
    objects.read(take);
    take("]");
  };
  const auto list_if = [&](std::string_view text, const SpooledText& objects) {
    if (!objects.empty()) list(text, objects);
  };
  if (!connected.empty()) member(connect_failed ? "connect_failed" : "connected", connected);
  list("entries", entries);
  list("silences", silences);
  list("annotations", annotations);
  list_if("folds", folds);
  list("transactions", transactions);
  list("closes", closes);
  list("gaps", gaps);
  list("stalls", stalls);
  list("blocks", blocks);
  list_if("tls", handshakes);
  list_if("tls_alerts", alerts);
  list_if("asides", asides);
  list_if("rewritten", rewritten);
  list_if("remarks", remarks);
  list_if("tcp", tcp);
  if (!ended.empty()) member("end", ended);
  take("}");
}

/// Nothing more comes of the session. What nobody wants is forgotten; what has to wait takes less
/// memory from now on.
void JsonExporter::end(Session& session) {
  settle_annotations(*session.timeline, 0);
  const bool first = sessions_.begin()->second.get() == &session;
  if (session.wanted && first) {
    write(session);
    session.wanted = false;
  } else if (session.wanted) {
    session.whole = std::make_unique<SpooledText>(spool_);
    session.timeline->read(session.id, [&](std::string_view piece) { session.whole->add(piece); });
  }
  session.timeline.reset();
}

/// The first sessions that have ended are done with.
void JsonExporter::write_ended() {
  for (auto first = sessions_.begin(); first != sessions_.end(); first = sessions_.erase(first)) {
    if (first->second->timeline) return;
    if (first->second->wanted) write(*first->second);
  }
}

void JsonExporter::write(Session& session) {
  output_.write(std::exchange(any_session_, true) ? ",\n" : "\n");
  const Take take = [this](std::string_view piece) { output_.write(piece); };
  session.whole ? session.whole->read(take) : session.timeline->read(session.id, take);
}

void JsonExporter::end_run() {
  const std::vector<SessionId> late = wanted_.end_run();
  for (auto& [key, session] : sessions_) {
    if (!session->timeline) continue;
    if (std::ranges::find(late, session->id) != late.end()) session->wanted = true;
    end(*session);
  }
  write_ended();
  std::string& run = runs_.back();
  run.pop_back();
  if (!run_gaps_->empty()) {
    run += ",\n  \"gaps\": [";
    run_gaps_->read([&run](std::string_view piece) { run += piece; });
    run += ']';
  }
  run += ",\n  \"summary\": " + json_of(summary_) + '}';
  run_gaps_.reset();
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
