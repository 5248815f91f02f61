#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "exporters/records/record_table.h"

namespace smtpscope {

/// A database that the rows can be put into.
struct RecordEngine {
  std::string_view name;         // "clickhouse"
  std::string_view description;  // one line
  /// Statements that make the table, each with its semicolon.
  std::string (*ddl)(RecordTable table);
};
std::span<const RecordEngine> all_record_engines();
const RecordEngine* find_record_engine(std::string_view name);

/// One JSON Schema (draft 2020-12) for a row of any table, those of the tables in its $defs; or
/// that of one table. Complete lines.
std::string record_schema(std::optional<RecordTable> table);

/// The tables of docs/records.md.
std::string record_tables_as_markdown();

/// The columns for a terminal. Complete lines.
std::string record_tables_as_text();

}  // namespace smtpscope
