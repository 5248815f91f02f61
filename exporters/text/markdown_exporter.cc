#include "exporters/text/markdown_exporter.h"

#include <fmt/format.h>

#include <string>
#include <variant>

#include "capture/wall_time.h"
#include "exporters/escape.h"

namespace smtpscope {
namespace {

/// Longer than what anybody has in a message, and what takes it off again knows it.
constexpr std::string_view kFence = "~~~~~~";
/// Who has more sessions than that does not read a sentence about each.
constexpr std::size_t kMostVerdicts = std::size_t{64} * 1024;

/// For the width of an issue tracker, in characters that every font has.
ExporterOptions for_paste(ExporterOptions options) {
  constexpr std::size_t kWidth = 100;
  options.width = options.width == 0 ? kWidth : options.width;
  options.colour = false;
  options.name_runs = false;
  options.arrangement = Arrangement::kBySession;
  return options;
}

/// Text of the wire may hold what Markdown or HTML take for theirs.
std::string as_markdown(std::string_view text) {
  std::string safe;
  for (const char c : escape(text, Wording::kOurs, Charset::kUtf8)) {
    if (std::string_view("\\`*_[]<>#|").find(c) != std::string_view::npos) safe += '\\';
    safe += c;
  }
  return safe;
}

}  // namespace

void MarkdownExporter::Kept::write(std::string_view text) {
  if (!text_) text_ = std::make_unique<SpooledText>(spool_);
  text_->add(text);
}

void MarkdownExporter::Kept::hand_on(Output& output) {
  if (!text_) return;
  text_->read([&](std::string_view text) { output.write(text); });
  text_.reset();
}

MarkdownExporter::MarkdownExporter(const ExporterOptions& options, Output& output)
    : output_(output),
      timeline_(spool_),
      told_(spool_),
      text_(for_paste(options), timeline_),
      transcript_(options, told_) {}

void MarkdownExporter::begin_run(const RunInfo& run) {
  output_.write(fmt::format("## SMTP sessions in {}\n\nstarted {}, read by {}\n\n",
                            as_markdown(run.source), format_wall_time(run.started),
                            "smtpscope " SMTPSCOPE_VERSION));
  text_.begin_run(run);
  transcript_.begin_run(run);
}

void MarkdownExporter::on_timeline(const TimelineEvent& event) {
  text_.on_timeline(event);
  transcript_.on_timeline(event);
  const auto* ended = std::get_if<TimelineSessionEnded>(&event.body);
  if (ended == nullptr) return;
  if (ended->verdict.empty()) return;
  if (verdicts_.size() > kMostVerdicts) {
    ++more_sessions_;
    return;
  }
  verdicts_ += fmt::format("- **Session {}:** {}\n", event.session,
                           as_markdown(ended->verdict.front().text));
}

void MarkdownExporter::end_run() {
  text_.end_run();
  transcript_.end_run();
  if (more_sessions_ > 0) verdicts_ += fmt::format("- and {} more sessions\n", more_sessions_);
  if (!verdicts_.empty()) output_.write(verdicts_ + "\n");
  output_.write(fmt::format("### Timeline\n\n{}text\n", kFence));
  timeline_.hand_on(output_);
  output_.write(
      fmt::format("{}\n\n<details><summary>Transcript: save this page's text and "
                  "`smtpscope show` reads it back</summary>\n\n{}text\n",
                  kFence, kFence));
  told_.hand_on(output_);
  output_.write(fmt::format("{}\n\n</details>\n\n", kFence));
  verdicts_.clear();
  more_sessions_ = 0;
}

}  // namespace smtpscope
