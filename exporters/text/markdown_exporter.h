#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "exporters/exporter.h"
#include "exporters/spooled_text.h"
#include "exporters/text/text_exporter.h"
#include "exporters/text/transcript_exporter.h"

namespace smtpscope {

/// A run as it is put into an issue tracker: what became of each session's mail, the timeline, and
/// folded away the transcript, which can be read back.
class MarkdownExporter : public Exporter {
 public:
  MarkdownExporter(const ExporterOptions& options, Output& output);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void on_record(const WireEvent& event) override { transcript_.on_record(event); }
  void end_run() override;
  void finish() override {}
  std::optional<Error> fault() const override { return spool_.fault(); }

 private:
  /// Keeps what another exporter writes until it is its turn.
  class Kept : public Output {
   public:
    explicit Kept(Spool& spool) : spool_(spool) {}
    void write(std::string_view text) override;
    /// All of it, and forgets it.
    void hand_on(Output& output);

   private:
    Spool& spool_;
    std::unique_ptr<SpooledText> text_;
  };

  Output& output_;
  Spool spool_;
  Kept timeline_, told_;
  TextExporter text_;
  TranscriptExporter transcript_;
  std::string verdicts_;
  std::uint64_t more_sessions_ = 0;  // whose verdicts found no room
};

}  // namespace smtpscope
