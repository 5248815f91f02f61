#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/exporter.h"
#include "exporters/session_order.h"
#include "timeline/run_summary.h"

namespace smtpscope {

/// All timelines as one JSON document, sessions in the order in which they were opened. Holds a
/// session's timeline until the session has ended.
class JsonExporter : public Exporter, private SessionRelease {
 public:
  JsonExporter(const ExporterOptions& options, Output& output);
  ~JsonExporter() override;

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override;

 private:
  struct Session;

  Session& session_of(const TimelineEvent& event);
  void complete(SessionId id, Session& session);
  void release(SessionId session, std::string_view text, Piece piece) override;
  void open_document();

  const ExporterOptions options_;
  Output& output_;
  SessionOrder order_;
  std::map<SessionId, std::unique_ptr<Session>> open_;
  std::vector<std::string> runs_;  // JSON objects
  std::vector<std::string> run_gaps_;
  RunSummary summary_;  // of the run
  WallTime run_started_{};
  bool opened_ = false;       // the document's first line is out
  bool any_session_ = false;  // one is out
};

}  // namespace smtpscope
