#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// Something about a recorded file that its reader should be told, although reading went on.
struct SourceNotice {
  enum class Kind : std::uint8_t {
    kCut,      // it ends inside a record
    kCorrupt,  // parts that could not be read: what they held is missing
    kUnknown,  // parts that this version does not know or does not show
  };
  Kind kind = Kind::kCut;
  std::uint64_t count = 1;
  std::string text;  // one sentence, without the file's name
};

/// Wire events out of a recorded file, whatever its format: a capture of our own, or one that
/// another program has made. What the file holds is data: it never makes an Error. Bounded memory.
/// Not thread-safe.
class WireSource {
 public:
  virtual ~WireSource() = default;

  /// What is known of the run; `source` is the file's name. Complete when next() has handed over
  /// the first event.
  virtual const RunInfo& run() const = 0;

  /// Reads on, and hands over the events that this completes, maybe none. False at the end of the
  /// file as it is now; may be asked again after the file has grown. The Error is one of reading.
  virtual Result<bool> next(WireSink& sink) = 0;

  /// Nothing more is expected: hands over what was held back in case something came before it.
  virtual void finish(WireSink& sink) = 0;

  /// What there is to be told up to now. Only when nothing more is expected a record that is not
  /// whole is a cut.
  virtual std::vector<SourceNotice> notices() const = 0;
};

}  // namespace smtpscope
