#include "exporters/text/text_exporter.h"

#include <fmt/format.h>

#include <variant>

#include "exporters/text/text_outcome.h"
#include "exporters/text/text_sheet.h"
#include "exporters/text/text_summary.h"
#include "exporters/time_words.h"

namespace smtpscope {

TextExporter::TextExporter(const ExporterOptions& options, Output& output)
    : options_(options),
      style_(options),
      output_(output),
      order_(options.arrangement, !WantedSessions(options).all(), *this),
      wanted_(options),
      written_(options.goes_on) {}

void TextExporter::begin_run(const RunInfo& run) {
  run_started_ = run.started;
  wanted_.begin_run(run.started);
  summary_ = {};
  if (!options_.name_runs && run.redacted.empty()) return;
  TextSheet sheet(style_, {});
  if (written_) sheet.blank();
  if (!run.redacted.empty()) {
    sheet.flow({"a redacted capture: names are pseudonyms",
                fmt::format("messages: {}", style_.wire(run.redacted))},
               0, Tone::kHeading);
  }
  if (!options_.name_runs) {
    write(sheet.take());
    return;
  }
  std::vector<std::string> pieces = {style_.wire(run.source), readable_time(run.started)};
  if (!run.tap.empty()) pieces.push_back(fmt::format("tap {}", style_.wire(run.tap)));
  sheet.flow(pieces, 3, Tone::kHeading);
  write(sheet.take());
}

void TextExporter::on_timeline(const TimelineEvent& event) {
  summary_.on_timeline(event);
  if (event.session == kWholeRun) {
    show_gap_of_run(event);
    return;
  }
  const auto [at, is_new] =
      open_.try_emplace(event.session, event.session, event.time, run_started_);
  if (is_new && open_.size() == 2) label_open();
  if (is_new && open_.size() > 2) labelled_.insert(event.session);
  TextSheet sheet(style_, label(event.session));
  // Only a trace with a hole shows a session whose beginning it does not hold.
  if (is_new && !std::holds_alternative<TimelineSessionStarted>(event.body)) {
    sheet.flow({fmt::format("session {}", event.session), "the beginning is not in the trace"}, 3,
               Tone::kHeading);
  }
  at->second.render(event, style_, sheet);
  order_.add(event.session, sheet.take());

  if (wanted_.on_timeline(event)) order_.want(event.session);
  if (std::holds_alternative<TimelineSessionEnded>(event.body)) {
    open_.erase(at);
    labelled_.erase(event.session);
    order_.end(event.session);
  }
}

void TextExporter::end_run() {
  for (auto& [session, text] : open_) {
    TextSheet sheet(style_, label(session));
    text.render_open_end(style_, sheet);
    order_.add(session, sheet.take());
  }
  open_.clear();
  labelled_.clear();
  for (const SessionId session : wanted_.end_run()) order_.want(session);
  order_.end_all();
  // One session's own footer says it all.
  if (summary_.sessions() < 2) return;
  write("\n");
  write(summary_table(summary_, style_));
}

void TextExporter::sum_up(std::span<const FileTotals> files) {
  if (written_) write("\n");
  write(files_table(files, style_));
}

void TextExporter::release(SessionId session, std::string_view text, Piece piece) {
  const bool apart = options_.arrangement == Arrangement::kBySession || open_.size() < 2;
  if (piece == Piece::kFirst && apart && written_) write("\n");
  if (piece == Piece::kResumed && options_.arrangement == Arrangement::kBySession) {
    TextSheet sheet(style_, {});
    sheet.blank();
    sheet.flow({fmt::format("session {}, continued", session)}, 3, Tone::kHeading);
    write(sheet.take());
  }
  write(text);
}

void TextExporter::write(std::string_view text) {
  if (text.empty()) return;
  written_ = true;
  output_.write(text);
}

/// A hole that no session can be named for.
void TextExporter::show_gap_of_run(const TimelineEvent& event) {
  const auto* gap = std::get_if<TimelineGap>(&event.body);
  if (gap == nullptr) return;
  TextSheet sheet(style_, {});
  sheet.rupture({}, Tone::kWarning, style_.words(gap_words(gap->gap)));
  write(sheet.take());
}

void TextExporter::label_open() {
  for (const auto& [session, text] : open_) labelled_.insert(session);
}

/// By time, lines of sessions that are or were open together say whose they are.
std::string TextExporter::label(SessionId session) {
  if (options_.arrangement == Arrangement::kBySession || !labelled_.contains(session)) return {};
  return fmt::format("{:<4} ", fmt::format("s{}", session));
}

}  // namespace smtpscope
