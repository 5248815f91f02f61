#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/exporter.h"
#include "exporters/spooled_text.h"
#include "exporters/wanted_sessions.h"
#include "timeline/verdict/run_summary.h"

namespace smtpscope {

/// All timelines as one JSON document, sessions in the order in which they were opened. A session
/// can be written only when it has ended and those before it have: until then its timeline waits,
/// in a Spool, so that memory is bounded however long sessions are.
class JsonExporter : public Exporter {
 public:
  /// `held`: octets of timelines that wait in memory.
  JsonExporter(const ExporterOptions& options, Output& output, std::size_t held = Spool::kMostHeld);
  ~JsonExporter() override;

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override;
  std::optional<Error> fault() const override { return spool_.fault(); }

 private:
  struct Timeline;
  struct Session;
  /// The number, and how often a session of that number had ended already.
  using Key = std::pair<SessionId, std::uint64_t>;
  using Sessions = std::map<Key, std::unique_ptr<Session>>;

  Session& session_of(const TimelineEvent& event);
  void add(Session& session, const TimelineEvent& event, std::string json);
  void fold(Timeline& timeline, const AnnotationFolded& folded);
  void settle_annotations(Timeline& timeline, std::size_t kept);
  void end(Session& session);
  void write_ended();
  void write(Session& session);
  void open_document();

  const ExporterOptions options_;
  Output& output_;
  Spool spool_;
  Sessions sessions_;              // that are not written yet, by number: in the order of opening
  std::vector<std::string> runs_;  // JSON objects
  std::unique_ptr<SpooledText> run_gaps_;
  RunSummary summary_;  // of the run
  WantedSessions wanted_;
  WallTime run_started_{};
  bool opened_ = false;       // the document's first line is out
  bool any_session_ = false;  // one is out
};

}  // namespace smtpscope
