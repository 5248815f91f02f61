#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "exporters/json_writer.h"
#include "exporters/records/record_table.h"

namespace smtpscope {

class RecordPseudonyms;

/// Writes rows of one table: a value for each column, in the table's order, each named so that both
/// can be read here. Every row has every column; what is not known is null. A value that needs no
/// more than its call.
class RecordRow {
 public:
  /// `pseudonyms` may be nullptr: names stay. It must outlive this.
  RecordRow(RecordTable table, RecordPseudonyms* pseudonyms);

  /// Begins a row, with the columns that all tables have.
  void begin(std::string_view run, std::string_view host, std::string_view tap,
             std::uint64_t session);

  /// kText and kWord. Octets that no engine's text can hold (NUL, what is not UTF-8) are escaped.
  void text(std::string_view name, std::string_view value);
  void text_if(std::string_view name, std::string_view value) {
    value.empty() ? null(name) : text(name, value);
  }
  void count(std::string_view name, std::uint64_t value);
  void count_if(std::string_view name, std::uint64_t value) {
    value == 0 ? null(name) : count(name, value);
  }
  void duration(std::string_view name, std::optional<Duration> value);
  void flag(std::string_view name, bool value);
  void time(std::string_view name, WallTime value);
  /// Of kDigest: sixteen hexadecimal digits.
  void digest(std::string_view name, std::uint64_t value);
  void null(std::string_view name);

  /// The row with its line end. Valid until the next begin().
  std::string_view end();

 private:
  const RecordColumn& next(std::string_view name);

  const std::span<const RecordColumn> columns_;
  RecordPseudonyms* const pseudonyms_;
  JsonWriter json_;
  std::size_t at_ = 0;
};

}  // namespace smtpscope
