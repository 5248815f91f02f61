#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "exporters/otlp/span.h"

namespace smtpscope {

/// How OTLP writes spans down, in one of its two forms. Not thread-safe but for request().
class SpanEncoding {
 public:
  virtual ~SpanEncoding() = default;
  /// Of the requests that follow.
  virtual void set_resource(const SpanResource& resource) = 0;
  /// Writes a span behind what `out` holds, as it stands in a request.
  virtual void append_span(const Span& span, std::string& out) const = 0;
  /// An ExportTraceServiceRequest of spans that append_span() wrote one behind the other: one at
  /// least.
  virtual std::string request(std::string_view spans) const = 0;
};

/// OTLP/JSON: an object on one line.
std::unique_ptr<SpanEncoding> make_json_encoding();
/// Protocol Buffers.
std::unique_ptr<SpanEncoding> make_protobuf_encoding();

}  // namespace smtpscope
