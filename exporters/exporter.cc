#include "exporters/exporter.h"

#include <array>
#include <variant>

#include "exporters/eml_exporter.h"
#include "exporters/json_exporter.h"
#include "exporters/jsonl_exporter.h"
#include "exporters/pcapng_exporter.h"
#include "exporters/text_exporter.h"

namespace smtpscope {
namespace {

template <typename Format>
std::unique_ptr<Exporter> make(const ExporterOptions& options, Output& output) {
  return std::make_unique<Format>(options, output);
}

std::unique_ptr<Exporter> make_eml(const ExporterOptions& options, OutputFolder& folder) {
  return std::make_unique<EmlExporter>(options, folder);
}

constexpr std::array kAll = {
    ExporterKind{.name = "text",
                 .description = "an annotated timeline for people",
                 .in_parts = true,
                 .make = make<TextExporter>},
    ExporterKind{.name = "json",
                 .description = "one JSON document (docs/timeline.schema.json)",
                 .make = make<JsonExporter>},
    ExporterKind{.name = "jsonl",
                 .description = "one JSON record per event and line, as they happen",
                 .in_parts = true,
                 .make = make<JsonlExporter>},
    ExporterKind{.name = "pcapng",
                 .description = "packets with comments, for Wireshark",
                 .target = ExporterTarget::kBinary,
                 .octets = true,
                 .make = make<PcapngExporter>},
    ExporterKind{.name = "eml",
                 .description = "each message as a file, in the folder of -o",
                 .target = ExporterTarget::kFolder,
                 .octets = true,
                 .make_in = make_eml},
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
