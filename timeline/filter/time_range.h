#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"

namespace smtpscope {

/// What is wrong with a word of a filter, and where in it.
struct FilterFault {
  std::size_t offset = 0;  // from 0
  std::string message;
};

/// A range of times, of one day or of every day: "14:00..14:05", "2026-11-23". Local time unless it
/// ends in Z. A value.
class TimeRange {
 public:
  static std::variant<TimeRange, FilterFault> read(std::string_view text);

  bool contains(WallTime time) const;

 private:
  bool every_day_ = false;  // from_ and to_ are since midnight, else since 1970
  Duration from_ = Duration::min();
  Duration to_ = Duration::max();  // no longer in it
};

}  // namespace smtpscope
