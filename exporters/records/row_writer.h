#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "capture/wire_event.h"
#include "exporters/records/record_table.h"

namespace smtpscope {

/// Takes the values of a row: one for each column but the first four, in the table's order, each
/// named so that both can be read where it is made. What is not known is null. Keeps no view.
class RowWriter {
 public:
  virtual ~RowWriter() = default;

  /// kText and kWord.
  virtual void text(std::string_view name, std::string_view value) = 0;
  virtual void count(std::string_view name, std::uint64_t value) = 0;
  virtual void duration(std::string_view name, std::optional<Duration> value) = 0;
  virtual void flag(std::string_view name, bool value) = 0;
  virtual void time(std::string_view name, WallTime value) = 0;
  /// Of kDigest: sixteen hexadecimal digits.
  virtual void digest(std::string_view name, std::uint64_t value) = 0;
  virtual void null(std::string_view name) = 0;

  void text_if(std::string_view name, std::string_view value) {
    value.empty() ? null(name) : text(name, value);
  }
  void count_if(std::string_view name, std::uint64_t value) {
    value == 0 ? null(name) : count(name, value);
  }
};

/// Where the rows of a run go, whatever they become there. A row is begun, gets its values, and is
/// ended before the next begins. Not thread-safe.
class RowTaker {
 public:
  virtual ~RowTaker() = default;
  /// Valid until end().
  virtual RowWriter& begin_row(RecordTable table, SessionId session) = 0;
  virtual void end_row(RecordTable table, SessionId session) = 0;
  /// Rows that found no room so far.
  virtual std::uint64_t lost_rows() const { return 0; }
};

}  // namespace smtpscope
