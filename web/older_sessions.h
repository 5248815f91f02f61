#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "exporters/output.h"

namespace smtpscope {

/// Reads sessions of a run again: those whose records are not in memory any more, and those that
/// are to be saved as a file. Asked on a thread of the server's own, one question after the other.
class OlderSessions {
 public:
  /// The last sessions of [from, before) of a run (from 1).
  struct Asked {
    std::uint64_t run = 1;
    std::uint64_t from = 1;
    std::uint64_t before = 0;
  };

  /// Sessions to be saved.
  struct Save {
    std::uint64_t run = 1;
    std::uint64_t session = 0;  // 0: those that `filter` keeps
    std::string filter;
    std::string format;  // "html", "jsonl", "pcapng"
    bool redacted = true;
  };

  virtual ~OlderSessions() = default;
  /// Writes their records, a line each, and last {"event":"older",…} with the run and session
  /// before which to ask next ("run", "before"; none of them: nothing is older) and "failed",
  /// words, if not all could be read. Gives up once `stop` is true.
  virtual void read(const Asked& asked, const std::atomic<bool>& stop, Output& into) = 0;
  /// Writes a line of JSON, {"name":…,"type":…} of the file or {"failed":…}, and the file.
  virtual void save(const Save& asked, const std::atomic<bool>& stop, Output& into) = 0;
};

}  // namespace smtpscope
