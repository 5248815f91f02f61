#include <variant>

#include "exporters/otlp/protobuf.h"
#include "exporters/otlp/span_encoding.h"

namespace smtpscope {
namespace {

/// The numbers of opentelemetry-proto: common/v1/common.proto, resource/v1/resource.proto,
/// trace/v1/trace.proto, collector/trace/v1/trace_service.proto. They never change.
namespace field {
constexpr std::uint32_t kRequestResourceSpans = 1;
constexpr std::uint32_t kResourceSpansResource = 1;
constexpr std::uint32_t kResourceSpansScopeSpans = 2;
constexpr std::uint32_t kResourceAttributes = 1;
constexpr std::uint32_t kScopeSpansScope = 1;
constexpr std::uint32_t kScopeSpansSpans = 2;
constexpr std::uint32_t kScopeName = 1;
constexpr std::uint32_t kScopeVersion = 2;
constexpr std::uint32_t kSpanTraceId = 1;
constexpr std::uint32_t kSpanSpanId = 2;
constexpr std::uint32_t kSpanParentSpanId = 4;
constexpr std::uint32_t kSpanName = 5;
constexpr std::uint32_t kSpanKind = 6;
constexpr std::uint32_t kSpanStart = 7;
constexpr std::uint32_t kSpanEnd = 8;
constexpr std::uint32_t kSpanAttributes = 9;
constexpr std::uint32_t kSpanEvents = 11;
constexpr std::uint32_t kSpanDroppedEvents = 12;
constexpr std::uint32_t kSpanStatus = 15;
constexpr std::uint32_t kEventTime = 1;
constexpr std::uint32_t kEventName = 2;
constexpr std::uint32_t kEventAttributes = 3;
constexpr std::uint32_t kStatusMessage = 2;
constexpr std::uint32_t kStatusCode = 3;
constexpr std::uint32_t kKeyValueKey = 1;
constexpr std::uint32_t kKeyValueValue = 2;
constexpr std::uint32_t kAnyString = 1;
constexpr std::uint32_t kAnyBool = 2;
constexpr std::uint32_t kAnyInt = 3;
}  // namespace field

constexpr std::uint64_t kStatusError = 2;

class ProtobufEncoding : public SpanEncoding {
 public:
  void set_resource(const SpanResource& resource) override;
  void append_span(const Span& span, std::string& out) const override;
  std::string request(std::string_view spans) const override;

 private:
  std::string resource_;  // the field of ResourceSpans
  std::string scope_;     // that of ScopeSpans
};

template <std::size_t N>
std::string_view octets_of(const std::array<std::uint8_t, N>& id) {
  return {reinterpret_cast<const char*>(id.data()), N};
}

std::uint64_t unix_nano(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

void write_attribute(ProtobufWriter& out, std::uint32_t number, const SpanAttribute& attribute) {
  const std::size_t pair = out.begin_message(number);
  out.octets(field::kKeyValueKey, attribute.key);
  const std::size_t value = out.begin_message(field::kKeyValueValue);
  // A oneof: also a default is written.
  if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    out.octets(field::kAnyString, *text);
  } else if (const auto* count = std::get_if<std::int64_t>(&attribute.value)) {
    out.varint(field::kAnyInt, static_cast<std::uint64_t>(*count));
  } else {
    out.varint(field::kAnyBool, std::get<bool>(attribute.value) ? 1 : 0);
  }
  out.end_message(value);
  out.end_message(pair);
}

void write_event(ProtobufWriter& out, const SpanEvent& event) {
  const std::size_t begun = out.begin_message(field::kSpanEvents);
  out.fixed64(field::kEventTime, unix_nano(event.time));
  out.octets(field::kEventName, event.name);
  for (const SpanAttribute& each : event.attributes) {
    write_attribute(out, field::kEventAttributes, each);
  }
  out.end_message(begun);
}

void ProtobufEncoding::set_resource(const SpanResource& resource) {
  resource_.clear();
  ProtobufWriter out(resource_);
  const std::size_t begun = out.begin_message(field::kResourceSpansResource);
  for (const auto& [key, value] : resource) {
    write_attribute(out, field::kResourceAttributes, {key, value});
  }
  out.end_message(begun);
  scope_.clear();
  ProtobufWriter scope(scope_);
  const std::size_t begun_scope = scope.begin_message(field::kScopeSpansScope);
  scope.octets(field::kScopeName, "smtpscope");
  scope.octets(field::kScopeVersion, SMTPSCOPE_VERSION);
  scope.end_message(begun_scope);
}

void ProtobufEncoding::append_span(const Span& span, std::string& text) const {
  ProtobufWriter out(text);
  const std::size_t begun = out.begin_message(field::kScopeSpansSpans);
  out.octets(field::kSpanTraceId, octets_of(span.trace));
  out.octets(field::kSpanSpanId, octets_of(span.id));
  if (span.parent != decltype(span.parent){}) {
    out.octets(field::kSpanParentSpanId, octets_of(span.parent));
  }
  out.octets(field::kSpanName, span.name);
  out.varint(field::kSpanKind, static_cast<std::uint64_t>(span.kind));
  out.fixed64(field::kSpanStart, unix_nano(span.began));
  out.fixed64(field::kSpanEnd, unix_nano(span.ended));
  for (const SpanAttribute& each : span.attributes) {
    write_attribute(out, field::kSpanAttributes, each);
  }
  for (const SpanEvent& event : span.events) write_event(out, event);
  if (span.dropped_events > 0) out.varint(field::kSpanDroppedEvents, span.dropped_events);
  if (span.failed) {
    const std::size_t status = out.begin_message(field::kSpanStatus);
    if (!span.failure.empty()) out.octets(field::kStatusMessage, span.failure);
    out.varint(field::kStatusCode, kStatusError);
    out.end_message(status);
  }
  out.end_message(begun);
}

std::string ProtobufEncoding::request(std::string_view spans) const {
  std::string text;
  text.reserve(spans.size() + resource_.size() + scope_.size() + 32);
  ProtobufWriter out(text);
  const std::size_t resource_spans = out.begin_message(field::kRequestResourceSpans);
  text += resource_;
  const std::size_t scope_spans = out.begin_message(field::kResourceSpansScopeSpans);
  text += scope_;
  text += spans;
  out.end_message(scope_spans);
  out.end_message(resource_spans);
  return text;
}

}  // namespace

std::unique_ptr<SpanEncoding> make_protobuf_encoding() {
  return std::make_unique<ProtobufEncoding>();
}

}  // namespace smtpscope
