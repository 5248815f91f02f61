#include "exporters/records/record_schema.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <iterator>

namespace smtpscope {
namespace {

constexpr std::array kAllTables = {RecordTable::kSessions, RecordTable::kExchanges,
                                   RecordTable::kTransactions, RecordTable::kFindings};

/// The name of each ColumnType, in its order, in JSON Schema, in each engine, and in words.
struct TypeNames {
  std::string_view json, clickhouse, duckdb, postgres, words;
};
constexpr std::array<TypeNames, 7> kTypes = {{
    {R"("format": "uuid", "type": "string")", "UUID", "UUID", "uuid", "uuid"},
    {R"("type": "string")", "String", "VARCHAR", "text", "text"},
    {R"("type": "string")", "LowCardinality(String)", "VARCHAR", "text", "text"},
    {R"("minimum": 0, "type": "integer")", "UInt64", "BIGINT", "bigint", "count"},
    {R"("type": "integer")", "Int64", "BIGINT", "bigint", "nanoseconds"},
    {R"("type": "boolean")", "Bool", "BOOLEAN", "boolean", "true or false"},
    {R"("format": "date-time", "type": "string")", "DateTime64(9, 'UTC')", "TIMESTAMP_NS",
     "timestamptz", "time"},
}};
const TypeNames& names_of(ColumnType type) { return kTypes[static_cast<std::size_t>(type)]; }

/// What --records-redact makes of a column.
std::string_view redaction_of(ColumnPrivacy privacy) {
  constexpr std::array<std::string_view, 5> kWords = {"", "hashed", "hashed, its domain too",
                                                      "hashed", "null"};
  return kWords[static_cast<std::size_t>(privacy)];
}

/// As an SQL string.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char each : text) {
    out += each;
    if (each == '\'') out += each;
  }
  return out + "'";
}

std::string clickhouse_type(const RecordColumn& column) {
  std::string type(names_of(column.type).clickhouse);
  if (!column.nullable) return type;
  return column.type == ColumnType::kWord ? "LowCardinality(Nullable(String))"
                                          : fmt::format("Nullable({})", type);
}

std::string clickhouse_ddl(RecordTable table) {
  const RecordTableWords& words = words_of(table);
  std::string ddl = fmt::format("CREATE TABLE IF NOT EXISTS {}\n(\n", words.name);
  for (const RecordColumn& column : columns_of(table)) {
    fmt::format_to(std::back_inserter(ddl), "    {} {} COMMENT {}{}\n", column.name,
                   clickhouse_type(column), quoted(column.meaning),
                   &column == &columns_of(table).back() ? "" : ",");
  }
  fmt::format_to(std::back_inserter(ddl),
                 ")\nENGINE = ReplacingMergeTree\nPARTITION BY toYYYYMMDD(time)\n"
                 "ORDER BY (host, tap, time, {})\nCOMMENT {};\n",
                 fmt::join(words.key, ", "), quoted(words.meaning));
  return ddl;
}

/// Columns, then what `behind` adds, then comments as statements of their own.
std::string plain_ddl(RecordTable table, std::string_view TypeNames::*type,
                      const std::string& behind) {
  const RecordTableWords& words = words_of(table);
  std::string ddl = fmt::format("CREATE TABLE IF NOT EXISTS {} (\n", words.name);
  const auto to = std::back_inserter(ddl);
  for (const RecordColumn& column : columns_of(table)) {
    fmt::format_to(to, "    {} {}{}{}\n", column.name, names_of(column.type).*type,
                   column.nullable ? "" : " NOT NULL",
                   &column == &columns_of(table).back() && behind.empty() ? "" : ",");
  }
  fmt::format_to(to, "{});\nCOMMENT ON TABLE {} IS {};\n", behind, words.name,
                 quoted(words.meaning));
  for (const RecordColumn& column : columns_of(table)) {
    fmt::format_to(to, "COMMENT ON COLUMN {}.{} IS {};\n", words.name, column.name,
                   quoted(column.meaning));
  }
  return ddl;
}

// An index costs DuckDB more than it helps there: loading skips what is known by the key.
std::string duckdb_ddl(RecordTable table) { return plain_ddl(table, &TypeNames::duckdb, ""); }

std::string postgres_ddl(RecordTable table) {
  const RecordTableWords& words = words_of(table);
  return plain_ddl(table, &TypeNames::postgres,
                   fmt::format("    PRIMARY KEY ({})\n", fmt::join(words.key, ", "))) +
         fmt::format("CREATE INDEX IF NOT EXISTS {0}_time ON {0} (time);\n", words.name);
}

constexpr std::array kEngines = {
    RecordEngine{"clickhouse", "ClickHouse: ReplacingMergeTree, a partition for each day",
                 clickhouse_ddl},
    RecordEngine{"duckdb", "DuckDB", duckdb_ddl},
    RecordEngine{"postgres", "PostgreSQL; its times have microseconds", postgres_ddl},
};

/// As a JSON string: our own words, in ASCII without backslashes.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char each : text) {
    if (each == '"') out += '\\';
    out += each;
  }
  return out + "\"";
}

/// The schema of a table's rows, its lines indented by `indent`, without a line end.
std::string table_schema(RecordTable table, std::string_view head, const std::string& indent) {
  std::string text = "{\n";
  const auto to = std::back_inserter(text);
  text += head;
  fmt::format_to(to,
                 "{0}  \"title\": {1},\n{0}  \"description\": {2},\n{0}  \"type\": \"object\",\n",
                 indent, json_string(words_of(table).name), json_string(words_of(table).meaning));
  fmt::format_to(to, "{0}  \"additionalProperties\": false,\n{0}  \"required\": [", indent);
  for (const RecordColumn& column : columns_of(table)) {
    fmt::format_to(to, "{}{}", json_string(column.name),
                   &column == &columns_of(table).back() ? "" : ", ");
  }
  fmt::format_to(to, "],\n{}  \"properties\": {{\n", indent);
  for (const RecordColumn& column : columns_of(table)) {
    std::string type(names_of(column.type).json);
    if (column.nullable) {
      constexpr std::string_view kType = R"("type": )";
      const std::size_t at = type.find(kType) + kType.size();
      type = fmt::format("{}[{}, \"null\"]", type.substr(0, at), type.substr(at));
    }
    fmt::format_to(to, "{}    {}: {{{}, \"description\": {}}}{}\n", indent,
                   json_string(column.name), type, json_string(column.meaning),
                   &column == &columns_of(table).back() ? "" : ",");
  }
  fmt::format_to(to, "{0}  }}\n{0}}}", indent);
  return text;
}

constexpr std::string_view kDialect =
    "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n";

}  // namespace

std::span<const RecordEngine> all_record_engines() { return kEngines; }

const RecordEngine* find_record_engine(std::string_view name) {
  for (const RecordEngine& engine : kEngines) {
    if (engine.name == name) return &engine;
  }
  return nullptr;
}

std::string record_schema(std::optional<RecordTable> table) {
  if (table) return table_schema(*table, kDialect, "") + "\n";
  std::string text = fmt::format(
      "{{\n{}  \"title\": \"smtpscope records\",\n  \"description\": \"A line of any table.\",\n"
      "  \"anyOf\": [",
      kDialect);
  for (const RecordTable each : kAllTables) {
    text += fmt::format("{}{{\"$ref\": \"#/$defs/{}\"}}", each == kAllTables.front() ? "" : ", ",
                        words_of(each).name);
  }
  text += "],\n  \"$defs\": {\n";
  for (const RecordTable each : kAllTables) {
    text += fmt::format("    {}: {}{}\n", json_string(words_of(each).name),
                        table_schema(each, "", "    "), each == kAllTables.back() ? "" : ",");
  }
  return text + "  }\n}\n";
}

std::string record_tables_as_markdown() {
  std::string text;
  const auto to = std::back_inserter(text);
  for (const RecordTable table : kAllTables) {
    const RecordTableWords& words = words_of(table);
    fmt::format_to(to, "{}## {}\n\n{} A row is named by `{}`.\n\n", text.empty() ? "" : "\n",
                   words.name, words.meaning, fmt::join(words.key, "`, `"));
    text += "| column | type | what it is | from (-f jsonl) | redacted |\n|---|---|---|---|---|\n";
    for (const RecordColumn& column : columns_of(table)) {
      fmt::format_to(to, "| `{}` | {}{} | {} | {} | {} |\n", column.name,
                     names_of(column.type).words, column.nullable ? ", or null" : "",
                     column.meaning, column.source, redaction_of(column.privacy));
    }
  }
  return text;
}

std::string record_tables_as_text() {
  std::string text;
  const auto to = std::back_inserter(text);
  for (const RecordTable table : kAllTables) {
    fmt::format_to(to, "{}{}: {}\n", text.empty() ? "" : "\n", words_of(table).name,
                   words_of(table).meaning);
    for (const RecordColumn& column : columns_of(table)) {
      fmt::format_to(to, "  {:<20} {:<14} {}\n", column.name, names_of(column.type).words,
                     column.meaning);
    }
  }
  return text;
}

}  // namespace smtpscope
