#pragma once

#include <memory>
#include <string_view>

#include "base/time.h"
#include "readers/text/log_reader.h"
#include "readers/text/log_run.h"

namespace smtpscope {

/// What one program prints of its SMTP sessions, and who reads it.
struct LogKind {
  std::string_view name;         // "curl"
  std::string_view description;  // one line: "what curl -v prints"
  std::string_view how;          // how to get one, as a command or a setting
  /// Some line of `text`, which has been unwrapped, shows that this program wrote it.
  bool (*recognises)(std::string_view text);
  /// `latest`: when it was written last.
  std::unique_ptr<LogReader> (*make)(LogRun& run, WallTime latest);
};

template <typename Reader>
std::unique_ptr<LogReader> make_log_reader(LogRun& run, WallTime latest) {
  return std::make_unique<Reader>(run, latest);
}

}  // namespace smtpscope
