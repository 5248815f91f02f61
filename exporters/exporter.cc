#include "exporters/exporter.h"

#include <array>

#include "exporters/text_exporter.h"

namespace smtpscope {
namespace {

template <typename Format>
std::unique_ptr<Exporter> make(const ExporterOptions& options, Output& output) {
  return std::make_unique<Format>(options, output);
}

constexpr std::array kAll = {
    ExporterKind{"text", "an annotated timeline for people", make<TextExporter>},
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
