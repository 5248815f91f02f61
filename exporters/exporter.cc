#include "exporters/exporter.h"

#include <fmt/format.h>

#include <array>

#include "exporters/html/html_exporter.h"
#include "exporters/json/json_exporter.h"
#include "exporters/json/jsonl_exporter.h"
#include "exporters/otlp/otlp_exporter.h"
#include "exporters/packets/eml_exporter.h"
#include "exporters/packets/pcapng_exporter.h"
#include "exporters/records/records_exporter.h"
#include "exporters/text/brief_exporter.h"
#include "exporters/text/markdown_exporter.h"
#include "exporters/text/text_exporter.h"
#include "exporters/text/transcript_exporter.h"

namespace smtpscope {
namespace {

template <typename Format>
std::unique_ptr<Exporter> make(const ExporterOptions& options, Output& output) {
  return std::make_unique<Format>(options, output);
}

std::unique_ptr<Exporter> make_eml(const ExporterOptions& options, OutputFolder& folder) {
  return std::make_unique<EmlExporter>(options, folder);
}

std::unique_ptr<Exporter> make_records(const ExporterOptions& options, OutputFolder& folder) {
  return std::make_unique<RecordsExporter>(options, folder.rows());
}

std::string text_hole(std::uint64_t octets) {
  return fmt::format(
      "\n--- {} octets of this timeline are missing here: its reader was too slow ---\n\n", octets);
}

std::string jsonl_hole(std::uint64_t octets) {
  return fmt::format("{{\"event\":\"output-gap\",\"octets\":{}}}\n", octets);
}

/// A resource of that name, with nothing in it.
std::string otlp_hole(std::uint64_t octets) {
  return fmt::format(
      R"({{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"smtpscope.octets_missing",)"
      R"("value":{{"intValue":"{}"}}}}]}}}}]}})"
      "\n",
      octets);
}

constexpr std::array kAll = {
    ExporterKind{.name = "text",
                 .description = "an annotated timeline for people",
                 .in_parts = true,
                 .hole = text_hole,
                 .make = make<TextExporter>},
    ExporterKind{.name = "brief",
                 .description = "one line per session",
                 .in_parts = true,
                 .hole = text_hole,
                 .make = make<BriefExporter>},
    ExporterKind{.name = "json",
                 .description = "one JSON document (docs/timeline.schema.json)",
                 .make = make<JsonExporter>},
    ExporterKind{.name = "jsonl",
                 .description = "one JSON record per event and line, as they happen",
                 .in_parts = true,
                 .hole = jsonl_hole,
                 .make = make<JsonlExporter>},
    ExporterKind{.name = "html",
                 .description = "one page to look at in a browser, and to send to somebody",
                 .octets = true,
                 .make = make<HtmlExporter>},
    ExporterKind{.name = "markdown",
                 .description = "verdict, timeline and transcript for an issue tracker",
                 .octets = true,
                 .make = make<MarkdownExporter>},
    ExporterKind{.name = "transcript",
                 .description = "what happened, a line each: for bug reports and tests",
                 .octets = true,
                 .make = make<TranscriptExporter>},
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
    ExporterKind{.name = "records",
                 .description = "flat rows for a database (docs/records.md), in the folder of -o",
                 .target = ExporterTarget::kFolder,
                 .adds = true,
                 .make_in = make_records},
    ExporterKind{.name = "otlp",
                 .description = "spans for OpenTelemetry (docs/otlp.md), as OTLP/JSON",
                 .in_parts = true,
                 .hole = otlp_hole,
                 .make = make<OtlpExporter>},
};

}  // namespace

std::span<const ExporterKind> all_exporters() { return kAll; }

const ExporterKind* find_exporter(std::string_view name) {
  for (const ExporterKind& kind : kAll) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace smtpscope
