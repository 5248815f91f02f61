#pragma once

#include <map>
#include <string>

#include "exporters/exporter.h"
#include "exporters/text/text_style.h"
#include "exporters/wanted_sessions.h"
#include "timeline/filter/session_filter.h"

namespace smtpscope {

/// One line per session, when it has ended: who, the first envelope, what became of it and how long
/// it took. Those that go on at the end of a run come last.
class BriefExporter : public Exporter {
 public:
  BriefExporter(const ExporterOptions& options, Output& output);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override {}

 private:
  struct Session {
    Session(const SessionFilter& filter, WallTime run_started) : so_far(filter, run_started) {}

    FilteredSession so_far;
    std::string client;
    std::string from;
    std::string to;
    std::uint64_t more = 0;  // recipients besides `to`
    bool has_envelope = false;
    std::string refusal;     // the first: its code and first line
    std::uint16_t code = 0;  // of the last reply to a message
    std::string headline;    // of the first message
    bool wanted = false;
  };

  void note(Session& session, const TimelineEvent& event) const;
  void note_headline(Session& session, const Entry& entry) const;
  void write(SessionId id, const Session& session);

  const TextStyle style_;
  Output& output_;
  WantedSessions wanted_;
  const SessionFilter everything_;
  WallTime run_started_{};
  std::map<SessionId, Session> open_;
};

}  // namespace smtpscope
