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
#include "exporters/records/row_writer.h"

namespace smtpscope {

class RecordPseudonyms;

/// Writes rows of one table as JSON. Every row has every column; what is not known is null. A value
/// that needs no more than its call.
class RecordRow final : public RowWriter {
 public:
  /// `pseudonyms` may be nullptr: names stay. It must outlive this.
  RecordRow(RecordTable table, RecordPseudonyms* pseudonyms);

  /// Begins a row, with the columns that all tables have.
  void begin(std::string_view run, std::string_view host, std::string_view tap,
             std::uint64_t session);

  /// Octets that no engine's text can hold (NUL, what is not UTF-8) are escaped.
  void text(std::string_view name, std::string_view value) override;
  void count(std::string_view name, std::uint64_t value) override;
  void duration(std::string_view name, std::optional<Duration> value) override;
  void flag(std::string_view name, bool value) override;
  void time(std::string_view name, WallTime value) override;
  void digest(std::string_view name, std::uint64_t value) override;
  void null(std::string_view name) override;

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
