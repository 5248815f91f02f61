#include <fmt/format.h>

#include <array>
#include <charconv>
#include <variant>

#include "exporters/json_writer.h"
#include "exporters/otlp/span_encoding.h"

namespace smtpscope {
namespace {

/// Proto3's JSON, with the changes of OTLP (opentelemetry.io/docs/specs/otlp, "JSON Protobuf
/// Encoding"): names in lowerCamelCase, ids in hexadecimal, enums as numbers, integers of 64 bits
/// as texts.
class JsonEncoding : public SpanEncoding {
 public:
  void set_resource(const SpanResource& resource) override;
  void append_span(const Span& span, std::string& out) const override;
  std::string request(std::string_view spans) const override;

 private:
  std::string head_;
};

constexpr std::string_view kTail = "]}]}]}";

template <std::size_t N>
std::string hexadecimal(const std::array<std::uint8_t, N>& id) {
  std::string text;
  text.reserve(2 * N);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t octet : id) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 0xf];
  }
  return text;
}

void write_integer(JsonWriter& json, std::string_view name, std::int64_t value) {
  std::array<char, 24> text{};
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  json.string(name, std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

void write_attributes(JsonWriter& json, const std::vector<SpanAttribute>& attributes) {
  if (attributes.empty()) return;
  json.begin_array("attributes");
  for (const SpanAttribute& attribute : attributes) {
    json.begin_object();
    json.string("key", attribute.key);
    json.begin_object("value");
    if (const auto* text = std::get_if<std::string>(&attribute.value)) {
      json.string("stringValue", *text);
    } else if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
      write_integer(json, "intValue", *number);
    } else {
      json.boolean("boolValue", std::get<bool>(attribute.value));
    }
    json.end_object();
    json.end_object();
  }
  json.end_array();
}

void JsonEncoding::set_resource(const SpanResource& resource) {
  JsonWriter json;
  json.begin_object();
  json.begin_array("resourceSpans");
  json.begin_object();
  json.begin_object("resource");
  json.begin_array("attributes");
  for (const auto& [key, value] : resource) {
    json.begin_object();
    json.string("key", key);
    json.begin_object("value");
    json.string("stringValue", value);
    json.end_object();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.begin_array("scopeSpans");
  json.begin_object();
  json.begin_object("scope");
  json.string("name", "smtpscope");
  json.string("version", SMTPSCOPE_VERSION);
  json.end_object();
  json.begin_array("spans");
  head_ = json.take();
}

/// With a comma behind it.
void JsonEncoding::append_span(const Span& span, std::string& out) const {
  JsonWriter json;
  json.begin_object();
  json.string("traceId", hexadecimal(span.trace));
  json.string("spanId", hexadecimal(span.id));
  if (span.parent != decltype(span.parent){}) json.string("parentSpanId", hexadecimal(span.parent));
  json.string("name", span.name);
  json.number("kind", static_cast<int>(span.kind));
  write_integer(json, "startTimeUnixNano", span.began.time_since_epoch().count());
  write_integer(json, "endTimeUnixNano", span.ended.time_since_epoch().count());
  write_attributes(json, span.attributes);
  if (!span.events.empty()) {
    json.begin_array("events");
    for (const SpanEvent& event : span.events) {
      json.begin_object();
      write_integer(json, "timeUnixNano", event.time.time_since_epoch().count());
      json.string("name", event.name);
      write_attributes(json, event.attributes);
      json.end_object();
    }
    json.end_array();
  }
  json.number_if("droppedEventsCount", span.dropped_events);
  if (span.failed) {
    json.begin_object("status");
    json.string_if("message", span.failure);
    json.number("code", 2);  // STATUS_CODE_ERROR
    json.end_object();
  }
  json.end_object();
  out += json.text();
  out += ',';
}

std::string JsonEncoding::request(std::string_view spans) const {
  spans.remove_suffix(1);  // the last comma
  return fmt::format("{}{}{}", head_, spans, kTail);
}

}  // namespace

std::unique_ptr<SpanEncoding> make_json_encoding() { return std::make_unique<JsonEncoding>(); }

}  // namespace smtpscope
