#include "exporters/text/crowd_exporter.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "exporters/text/text_sheet.h"

namespace smtpscope {

CrowdExporter::CrowdExporter(const ExporterOptions& options, Output& output)
    : style_(options), output_(output), whole_(options, output), brief_(options, output) {}

void CrowdExporter::begin_run(const RunInfo& run) {
  whole_.begin_run(run);
  brief_.begin_run(run);
}

void CrowdExporter::on_timeline(const TimelineEvent& event) {
  if (event.session == kWholeRun || !is_brief(event.session)) {
    whole_.on_timeline(event);
  } else {
    whole_.count(event);
    brief_.on_timeline(event);
  }
  if (std::holds_alternative<TimelineSessionEnded>(event.body)) open_.erase(event.session);
}

bool CrowdExporter::is_brief(SessionId session) {
  if (const auto at = open_.find(session); at != open_.end()) return at->second;
  crowded_ = open_.size() + 1 > (crowded_ ? kFew : kHandful);
  open_.emplace(session, crowded_);
  if (crowded_) {
    whole_.label_open();
    if (!std::exchange(told_, true)) {
      TextSheet sheet(style_, {});
      sheet.paragraph(
          fmt::format("more than {} sessions at once: one line for each that begins now, when it "
                      "has ended (--full shows all of them whole)",
                      kHandful),
          0, Tone::kHeading);
      output_.write(sheet.take());
    }
  }
  return crowded_;
}

void CrowdExporter::end_run() {
  brief_.end_run();
  whole_.end_run();
}

}  // namespace smtpscope
