#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/result.h"
#include "exporters/exporter.h"
#include "readers/reader_list.h"
#include "timeline/rule_set.h"

namespace smtpscope {

/// Which sessions of a file are to be saved, and as what.
struct SessionExport {
  std::uint64_t session = 0;  // 0: those that `filter` keeps
  std::string filter;         // looks at the original, also when what is saved is redacted
  std::string format;
  bool redacted = true;
};

/// What was written.
struct ExportedFile {
  std::string name;  // to save it under
  std::string type;  // of media
};

/// Writes sessions of a run's files in another format, names replaced by pseudonyms unless told
/// otherwise. Only those that `options` keeps. Gives up once `stop` is true.
Result<ExportedFile> export_sessions(const std::vector<std::string>& files,
                                     const SourceOptions& source, const RuleSet& rules,
                                     const ExporterOptions& options, const SessionExport& chosen,
                                     const std::atomic<bool>& stop, Output& into);

}  // namespace smtpscope
