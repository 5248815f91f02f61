#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// Reads the first line of a capture, without its line end. The Error tells what is wrong with it,
/// without naming the file.
Result<RunInfo> parse_header(std::string_view line);

/// Reads lines of a capture, one at a time, and owns what the event's views point to. A line is
/// data: it may be anything. Not thread-safe.
class EventLine {
 public:
  enum class Kind : std::uint8_t {
    kEvent,
    kUnknown,  // of a kind that this version does not know: name()
    kCorrupt,  // complaint()
  };

  /// `line` is without its line end.
  Kind parse(std::string_view line);

  /// After kEvent; valid until the next parse().
  const WireEvent& event() const { return event_; }
  /// After kUnknown, and after kEvent.
  const std::string& name() const { return name_; }
  /// After kCorrupt: what is wrong with the line.
  const std::string& complaint() const { return complaint_; }

 private:
  class Reader;

  WireEvent event_;
  std::string name_;
  std::string complaint_;
  std::string texts_[5];
  std::vector<std::uint8_t> octets_;  // all parts of a read, joined
  std::vector<FurtherPart> further_;
  std::vector<Masked> masks_;
};

}  // namespace smtpscope
