#pragma once

#include <cstddef>

#include "diff/taps/taps_comparison.h"
#include "exporters/exporter.h"
#include "exporters/output.h"

namespace smtpscope {

/// Writes for people what two taps saw of the same sessions: each dialogue in two columns where the
/// width allows, what was changed in between and by whose word, then the verdict. Dialogues without
/// a change are counted only, unless verbose. `context`: exchanges shown around a change.
void write_taps_text(const TapsComparison& comparison, std::size_t context,
                     const ExporterOptions& options, Output& output);

}  // namespace smtpscope
