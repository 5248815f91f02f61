#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/otlp/span.h"
#include "exporters/records/record_pseudonyms.h"
#include "exporters/records/row_writer.h"

namespace smtpscope {

/// A text as attributes may have it: what is not UTF-8, and NUL, escaped.
std::string span_text(std::string_view text);

/// Makes a row of a table into the attributes of a span: "smtpscope." and the column's name, but
/// for those that the semantic conventions of OpenTelemetry have a name for. Left out are what is
/// null, counts and durations of 0 and flags that are false where the column cannot be null, and
/// times, which are the span's own.
class SpanRow final : public RowWriter {
 public:
  /// `pseudonyms` may be nullptr: names stay. It must outlive this.
  SpanRow(RecordTable table, RecordPseudonyms* pseudonyms);

  void begin();

  void text(std::string_view name, std::string_view value) override;
  void count(std::string_view name, std::uint64_t value) override;
  void duration(std::string_view name, std::optional<Duration> value) override;
  void flag(std::string_view name, bool value) override;
  void time(std::string_view name, WallTime value) override;
  void digest(std::string_view name, std::uint64_t value) override;
  void null(std::string_view name) override;

  /// What the row says in a column; "" or 0 or false where it says nothing. Of the last row.
  std::string_view word(std::string_view column) const;
  std::uint64_t number(std::string_view column) const;
  bool is_set(std::string_view column) const;
  /// In the order of the columns.
  const std::vector<WallTime>& times() const { return times_; }
  std::vector<SpanAttribute> take() { return std::move(attributes_); }

 private:
  struct Column;

  const Column& next(std::string_view name);
  const SpanAttribute* find(std::string_view column) const;
  void put(const Column& column, std::int64_t value);

  const std::vector<Column>& columns_;
  RecordPseudonyms* const pseudonyms_;
  std::size_t at_ = 0;
  std::vector<SpanAttribute> attributes_;
  std::vector<WallTime> times_;
};

}  // namespace smtpscope
