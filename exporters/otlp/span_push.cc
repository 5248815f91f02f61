#include "exporters/otlp/span_push.h"

#include <utility>

namespace smtpscope {

Result<std::unique_ptr<SpanPush>> SpanPush::open(const CollectorSettings& settings,
                                                 const ExporterOptions& options, const RunInfo& run,
                                                 CollectorQueue::Tell tell) {
  auto link = open_collector_link(settings);
  if (!link) return link.error();
  std::unique_ptr<SpanPush> push(new SpanPush(options));
  push->spans_.begin_run(run);
  std::shared_ptr<SpanEncoding> encoding =
      settings.json ? make_json_encoding() : make_protobuf_encoding();
  encoding->set_resource(push->spans_.resource());
  push->encoding_ = std::move(encoding);
  push->queue_ = std::make_unique<CollectorQueue>(std::move(link.value()), push->encoding_,
                                                  settings.json, settings.shown, std::move(tell));
  return push;
}

void SpanPush::on_span(SessionId /*session*/, const Span& span) {
  text_.clear();
  encoding_->append_span(span, text_);
  queue_->add(text_);
}

}  // namespace smtpscope
