#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "capture/wire_event.h"
#include "exporters/exporter.h"
#include "exporters/spooled_text.h"
#include "exporters/wanted_sessions.h"

namespace smtpscope {

/// What happened, a line each, in the format of tests/timeline/transcripts: "C: RSET", "@ +10s",
/// "close client fin". Can be read, put into a bug report, made a test of, and read back.
/// Credentials are masked. Session by session, in the order in which they began.
class TranscriptExporter : public Exporter {
 public:
  TranscriptExporter(const ExporterOptions& options, Output& output);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void on_record(const WireEvent& event) override;
  void end_run() override;
  void finish() override {}
  std::optional<Error> fault() const override { return spool_.fault(); }

 private:
  struct Session {
    explicit Session(Spool& spool) : text(spool) {}

    SpooledText text;
    std::string client, server;
    std::string connected;  // how, for the heading
    std::optional<Duration> rtt;
    Fidelity fidelity;
    Time opened, last;
    bool mid_session = false;
    bool unconnected = false;  // the server side did not answer
    bool ended = false;
    bool begun = false;  // something happened besides the connection
  };

  void open(SessionId id, Time time, const SessionOpened& opened);
  void happens(Session& session, Time time, std::string_view line);
  void say(Session& session, Time time, const Bytes& bytes);
  void say_lines(Session& session, Time time, std::string_view mark, std::string_view octets);
  void write(SessionId id, Session& session);

  Output& output_;
  WantedSessions asked_for_;
  Spool spool_;
  std::map<SessionId, std::unique_ptr<Session>> open_;
  std::set<SessionId> wanted_;
  bool written_ = false;  // a session of this run
  Fidelity fidelity_;     // of the session that was written last
};

}  // namespace smtpscope
