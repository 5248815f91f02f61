#pragma once

#include <map>

#include "exporters/exporter.h"
#include "exporters/text/brief_exporter.h"
#include "exporters/text/text_exporter.h"
#include "exporters/text/text_style.h"

namespace smtpscope {

/// For whoever watches a live run: the whole timeline of a few sessions, and one line for each as
/// soon as more are open together than anybody can follow. Which it is to be is decided when a
/// session begins; it stays so.
class CrowdExporter : public Exporter {
 public:
  /// More open at once are a crowd, until there are only kFew.
  static constexpr std::size_t kHandful = 5;
  static constexpr std::size_t kFew = 2;

  CrowdExporter(const ExporterOptions& options, Output& output);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override {}

 private:
  bool is_brief(SessionId session);

  const TextStyle style_;
  Output& output_;
  TextExporter whole_;
  BriefExporter brief_;
  std::map<SessionId, bool> open_;  // whether it gets one line only
  bool crowded_ = false;
  bool told_ = false;
};

}  // namespace smtpscope
