#include "exporters/otlp/otlp_exporter.h"

#include <variant>

namespace smtpscope {

// Every span names its trace, so there is nothing to arrange: the order is that of time.
OtlpExporter::OtlpExporter(const ExporterOptions& options, Output& output)
    : output_(output),
      wanted_(options),
      order_(Arrangement::kByTime, !wanted_.all(), *this),
      encoding_(make_json_encoding()),
      spans_(options, *this) {}

void OtlpExporter::begin_run(const RunInfo& run) {
  wanted_.begin_run(run.started);
  spans_.begin_run(run);
  encoding_->set_resource(spans_.resource());
}

void OtlpExporter::on_timeline(const TimelineEvent& event) {
  spans_.on_timeline(event);
  const bool over = std::holds_alternative<TimelineSessionEnded>(event.body);
  if (over) {
    if (const auto held = held_.find(event.session); held != held_.end()) {
      put(event.session, held->second);
      held_.erase(held);
    }
  }
  if (wanted_.on_timeline(event)) order_.want(event.session);
  if (over) order_.end(event.session);
}

void OtlpExporter::on_span(SessionId session, const Span& span) {
  std::string& spans = held_[session];
  encoding_->append_span(span, spans);
  if (spans.size() > kMostHeld) put(session, spans);
}

void OtlpExporter::put(SessionId session, std::string& spans) {
  if (spans.empty()) return;
  order_.add(session, encoding_->request(spans) + "\n");
  spans.clear();
}

void OtlpExporter::release(SessionId /*session*/, std::string_view text, Piece /*piece*/) {
  output_.write(text);
}

void OtlpExporter::end_run() {
  for (auto& [session, spans] : held_) put(session, spans);
  held_.clear();
  for (const SessionId session : wanted_.end_run()) order_.want(session);
  order_.end_all();
  spans_.end_run();
}

}  // namespace smtpscope
