#include "exporters/exporter.h"

#include <array>
#include <variant>

#include "exporters/json_exporter.h"
#include "exporters/jsonl_exporter.h"
#include "exporters/text_exporter.h"

namespace smtpscope {
namespace {

template <typename Format>
std::unique_ptr<Exporter> make(const ExporterOptions& options, Output& output) {
  return std::make_unique<Format>(options, output);
}

constexpr std::array kAll = {
    ExporterKind{"text", "an annotated timeline for people", true, make<TextExporter>},
    ExporterKind{"json", "one JSON document (docs/timeline.schema.json)", false,
                 make<JsonExporter>},
    ExporterKind{"jsonl", "one JSON record per event and line, as they happen", true,
                 make<JsonlExporter>},
};

}  // namespace

bool is_wanted_annotation(const TimelineEvent& event, const ExporterOptions& options) {
  const auto* annotation = std::get_if<Annotation>(&event.body);
  return annotation != nullptr && options.annotated_from && annotation->folded_under.empty() &&
         annotation->severity >= *options.annotated_from;
}

std::span<const ExporterKind> all_exporters() { return kAll; }

const ExporterKind* find_exporter(std::string_view name) {
  for (const ExporterKind& kind : kAll) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace smtpscope
