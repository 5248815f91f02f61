#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/exporter.h"
#include "exporters/otlp/span.h"
#include "exporters/otlp/span_row.h"
#include "exporters/records/run_rows.h"

namespace smtpscope {

/// Takes the spans of a run.
class SpanTaker {
 public:
  virtual ~SpanTaker() = default;
  /// A span that is over. That of a session is its last.
  virtual void on_span(SessionId session, const Span& span) = 0;
};

/// Makes spans of a run's timelines. A trace is a session; in it are spans for the session, its TLS
/// handshakes, its transactions, and the exchanges of each, with the attributes that the rows of
/// exporters/records have. Silences and findings are events. Failed are those where mail failed.
///
/// A span is given away when it is over, so of a session that goes on little is held: kMostEvents.
class RunSpans : public TimelineSink, private RowTaker {
 public:
  /// What OpenTelemetry's SDKs keep of a span, unless told otherwise.
  static constexpr std::size_t kMostEvents = 128;

  /// `taker` must outlive this.
  RunSpans(const ExporterOptions& options, SpanTaker& taker);

  void begin_run(const RunInfo& run);
  void on_timeline(const TimelineEvent& event) override;
  void end_run();

  /// Of the run that has begun.
  const SpanResource& resource() const { return resource_; }

 private:
  struct Pending {
    std::uint64_t transaction = 0;
    SpanEvent event;
  };
  struct Open {
    std::vector<Pending> events;  // of spans that are not over
    std::uint64_t dropped_events = 0;
    std::uint64_t failed_transactions = 0;
    bool connect_failed = false;
    bool over_socket = false;  // of Unix
    bool lmtp = false;
  };

  RowWriter& begin_row(RecordTable table, SessionId session) override;
  void end_row(RecordTable table, SessionId session) override;
  void on_session_row(SessionId session, SpanRow& row);
  void on_exchange_row(SessionId session, SpanRow& row);
  void on_transaction_row(SessionId session, SpanRow& row);
  void on_finding_row(SessionId session, SpanRow& row);
  void on_tls(SessionId session, const TimelineTls& tls, Time ended);
  void on_silence(SessionId session, const Silence& silence);
  void add_event(SessionId session, std::uint64_t transaction, SpanEvent event);
  static void take_events(Open& open, std::uint64_t transaction, Span& span);

  /// What is one of its kind in a session: its number makes its id.
  Span span_of(SessionId session, std::string_view kind, std::uint64_t number,
               std::uint64_t part = 0) const;
  WallTime wall(Time time) const { return started_ + time.time_since_epoch(); }

  const std::string host_;
  RecordPseudonyms* const pseudonyms_;
  const SpanResource given_;  // by the user
  SpanTaker& taker_;
  std::array<SpanRow, kRecordTables> row_;  // by RecordTable
  RunRows rows_;
  std::map<SessionId, Open> open_;
  std::string run_;
  SpanResource resource_;
  WallTime started_{};
};

}  // namespace smtpscope
