#include "timeline/filter/session_filter.h"

#include <algorithm>
#include <array>
#include <variant>

#include "timeline/filter/filter_terms.h"

namespace smtpscope {

std::string_view to_string(SessionOutcome outcome) {
  constexpr std::array<std::string_view, 8> kNames = {
      "open", "delivered", "partly", "refused", "not-sent", "unknown", "not-connected", "no-mail"};
  return kNames[static_cast<std::size_t>(outcome)];
}

SessionOutcome SessionSoFar::outcome() const {
  if (failed) return SessionOutcome::kNotConnected;
  if (!ended) return SessionOutcome::kOpen;
  const auto count = [&](Outcome outcome) { return outcomes[static_cast<std::size_t>(outcome)]; };
  const std::uint64_t well = count(Outcome::kAccepted);
  const std::uint64_t badly = count(Outcome::kRejected) + count(Outcome::kAborted) +
                              count(Outcome::kUnknown) + count(Outcome::kOpen);
  if (count(Outcome::kPartial) > 0 || (well > 0 && badly > 0)) return SessionOutcome::kPartly;
  if (well > 0) return SessionOutcome::kDelivered;
  if (count(Outcome::kRejected) > 0) return SessionOutcome::kRefused;
  if (count(Outcome::kUnknown) > 0) return SessionOutcome::kUnknown;
  if (badly > 0) return SessionOutcome::kNotSent;
  return refused ? SessionOutcome::kRefused : SessionOutcome::kNoMail;
}

SessionFilter::SessionFilter() = default;
SessionFilter::~SessionFilter() = default;
SessionFilter::SessionFilter(SessionFilter&&) noexcept = default;
SessionFilter& SessionFilter::operator=(SessionFilter&&) noexcept = default;

FilteredSession::FilteredSession(const SessionFilter& filter, WallTime run_started)
    : filter_(&filter), run_started_(run_started), terms_(filter.terms_.size()) {}

void FilteredSession::feed(const TimelineEvent& event) {
  if (!begun_) {
    begun_ = true;
    so_far_.began = event.time;
    so_far_.wall = run_started_ + event.time.time_since_epoch();
  }
  so_far_.last = event.time;
  if (std::holds_alternative<TimelineConnectFailed>(event.body)) so_far_.failed = true;
  if (const auto* entry = std::get_if<Entry>(&event.body)) {
    so_far_.refused = so_far_.refused || entry->refusal != nullptr;
  } else if (const auto* ended = std::get_if<TimelineSessionEnded>(&event.body)) {
    so_far_.ended = !ended->unfinished;
    so_far_.outcomes = ended->totals->outcomes;
    so_far_.began = ended->totals->began;
    so_far_.last = ended->totals->ended;
  }
  const auto* annotation = std::get_if<Annotation>(&event.body);
  const auto* folded = std::get_if<AnnotationFolded>(&event.body);
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    TermState& state = terms_[i];
    const FilterTerm& term = *filter_->terms_[i];
    if (!state.seen) state.seen = term.seen_in(event);
    if (annotation != nullptr && annotation->folded_under.empty() && term.stands(*annotation)) {
      state.findings.push_back(annotation->number);
    }
    if (folded != nullptr) std::erase(state.findings, folded->number);
  }
}

bool FilteredSession::holds(std::size_t node) const {
  if (filter_->nodes_.empty()) return true;
  const SessionFilter::Node& at = filter_->nodes_[node];
  switch (at.kind) {
    case SessionFilter::Kind::kAll:
      return true;
    case SessionFilter::Kind::kAnd:
      return holds(at.left) && holds(at.right);
    case SessionFilter::Kind::kOr:
      return holds(at.left) || holds(at.right);
    case SessionFilter::Kind::kNot:
      return !holds(at.left);
    case SessionFilter::Kind::kTerm:
      break;
  }
  const TermState& state = terms_[at.left];
  return state.seen || !state.findings.empty() || filter_->terms_[at.left]->holds(so_far_);
}

}  // namespace smtpscope
