#pragma once

#include <memory>
#include <string>

#include "exporters/exporter.h"
#include "exporters/otlp/collector_queue.h"
#include "exporters/otlp/collector_settings.h"
#include "exporters/otlp/run_spans.h"
#include "exporters/otlp/span_encoding.h"

namespace smtpscope {

/// The spans of a live run, to a collector. All but the queue's own is done by the thread that
/// traces.
class SpanPush : public TimelineSink, private SpanTaker {
 public:
  static Result<std::unique_ptr<SpanPush>> open(const CollectorSettings& settings,
                                                const ExporterOptions& options, const RunInfo& run,
                                                CollectorQueue::Tell tell);

  void on_timeline(const TimelineEvent& event) override { spans_.on_timeline(event); }
  CollectorQueue& queue() { return *queue_; }

 private:
  explicit SpanPush(const ExporterOptions& options) : spans_(options, *this) {}
  void on_span(SessionId session, const Span& span) override;

  RunSpans spans_;
  std::shared_ptr<const SpanEncoding> encoding_;
  std::unique_ptr<CollectorQueue> queue_;
  std::string text_;
};

}  // namespace smtpscope
