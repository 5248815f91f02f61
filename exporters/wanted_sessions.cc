#include "exporters/wanted_sessions.h"

#include <variant>

#include "exporters/exporter.h"

namespace smtpscope {

WantedSessions::WantedSessions(const ExporterOptions& options)
    : annotated_from_(options.annotated_from), filter_(options.filter) {}

void WantedSessions::begin_run(WallTime started) {
  started_ = started;
  open_.clear();
}

bool WantedSessions::on_timeline(const TimelineEvent& event) {
  if (all() || event.session == kWholeRun) return false;
  Session& session = open_[event.session];
  if (const auto* annotation = std::get_if<Annotation>(&event.body)) {
    session.annotated = session.annotated || (annotated_from_ && annotation->folded_under.empty() &&
                                              annotation->severity >= *annotated_from_);
  }
  const bool has_ended = std::holds_alternative<TimelineSessionEnded>(event.body);
  bool wanted = session.annotated || !annotated_from_;
  if (filter_ != nullptr) {
    if (!session.filtered) session.filtered.emplace(*filter_, started_);
    session.filtered->feed(event);
    // Until then "not" and "outcome:" may change their minds.
    wanted = wanted && has_ended && session.filtered->matches();
  }
  const bool is_news = wanted && !session.wanted;
  session.wanted = wanted;
  if (has_ended) open_.erase(event.session);
  return is_news;
}

std::vector<SessionId> WantedSessions::end_run() {
  std::vector<SessionId> wanted;
  for (const auto& [id, session] : open_) {
    if (filter_ != nullptr && (session.annotated || !annotated_from_) &&
        session.filtered->matches()) {
      wanted.push_back(id);
    }
  }
  open_.clear();
  return wanted;
}

}  // namespace smtpscope
