#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"

namespace smtpscope {

/// What is known of a span or an event, by name; names are of static lifetime. Texts are UTF-8.
struct SpanAttribute {
  std::string_view key;
  std::variant<std::string, std::int64_t, bool> value;
};

/// Something that happened during a span.
struct SpanEvent {
  std::string_view name;  // of static lifetime
  WallTime time;
  std::vector<SpanAttribute> attributes;
};

/// As OTLP numbers them.
enum class SpanKind : std::uint8_t { kInternal = 1, kServer = 2 };

/// A span of a trace, in the terms of OTLP (opentelemetry-proto, trace/v1/trace.proto). A value.
struct Span {
  std::array<std::uint8_t, 16> trace{};
  std::array<std::uint8_t, 8> id{};
  std::array<std::uint8_t, 8> parent{};  // zeros: it is the root
  std::string_view name;                 // of static lifetime, and of few values
  SpanKind kind = SpanKind::kInternal;
  WallTime began;
  WallTime ended;
  std::vector<SpanAttribute> attributes;
  std::vector<SpanEvent> events;
  std::uint64_t dropped_events = 0;  // that there was no room for
  bool failed = false;               // mail failed in it
  std::string failure;               // then: why
};

/// What is told of where all spans of a run come from.
using SpanResource = std::vector<std::pair<std::string, std::string>>;

}  // namespace smtpscope
