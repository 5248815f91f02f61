#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "exporters/exporter.h"
#include "exporters/otlp/run_spans.h"
#include "exporters/otlp/span_encoding.h"
#include "exporters/session_order.h"
#include "exporters/wanted_sessions.h"

namespace smtpscope {

/// Spans as OTLP/JSON, as OpenTelemetry's collector writes and reads them in files: an
/// ExportTraceServiceRequest on a line. A line has spans of one session: all of them, or of a long
/// one some kMostHeld octets.
class OtlpExporter : public Exporter, private SpanTaker, private SessionRelease {
 public:
  static constexpr std::size_t kMostHeld = std::size_t{64} * 1024;

  OtlpExporter(const ExporterOptions& options, Output& output);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override {}

 private:
  void on_span(SessionId session, const Span& span) override;
  void release(SessionId session, std::string_view text, Piece piece) override;
  void put(SessionId session, std::string& spans);

  Output& output_;
  WantedSessions wanted_;
  SessionOrder order_;
  std::unique_ptr<SpanEncoding> encoding_;
  RunSpans spans_;
  std::map<SessionId, std::string> held_;  // spans for the next line
};

}  // namespace smtpscope
