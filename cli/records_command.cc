#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/file_output.h"
#include "cli/subcommand.h"
#include "exporters/records/record_schema.h"

namespace smtpscope {
namespace {

struct RecordsOptions {
  std::string engine;
  std::string table;  // "": all
  bool schema = false;
  bool markdown = false;
};

std::vector<RecordTable> chosen(const RecordsOptions& options) {
  if (const auto table = record_table(options.table)) return {*table};
  return {RecordTable::kSessions, RecordTable::kExchanges, RecordTable::kTransactions,
          RecordTable::kFindings};
}

int run(const RecordsOptions& options) {
  if (options.schema) return print(record_schema(record_table(options.table)));
  if (options.markdown) return print(record_tables_as_markdown());
  if (options.engine.empty()) return print(record_tables_as_text());
  std::string ddl;
  for (const RecordTable table : chosen(options)) {
    if (!ddl.empty()) ddl += '\n';
    ddl += find_record_engine(options.engine)->ddl(table);
  }
  return print(ddl);
}

std::function<int()> declare_records(CLI::App& app) {
  auto options = std::make_shared<RecordsOptions>();
  std::vector<std::string> engines;
  for (const RecordEngine& engine : all_record_engines()) engines.emplace_back(engine.name);
  CLI::Option* ddl = app.add_option("--ddl", options->engine,
                                    "Print the statements that make the tables in this database")
                         ->type_name("ENGINE")
                         ->default_str("none")
                         ->check(CLI::IsMember(engines));
  CLI::Option* schema =
      app.add_flag("--schema", options->schema, "Print the JSON Schema of the rows")->excludes(ddl);
  app.add_flag("--markdown", options->markdown, "Print the tables of docs/records.md")
      ->excludes(ddl)
      ->excludes(schema);
  app.add_option("--table", options->table, "With --ddl and --schema: only this table")
      ->type_name("TABLE")
      ->default_str("all")
      ->check(CLI::IsMember({"sessions", "exchanges", "transactions", "findings"}));
  return [options] { return run(*options); };
}

}  // namespace

const Subcommand kRecordsCommand = {
    .name = "records",
    .description = "Describe the tables that records are written as: columns, schemas, DDL",
    .examples =
        "  smtpscope records\n"
        "  smtpscope records --ddl clickhouse | clickhouse-client --multiquery\n"
        "  smtpscope records --ddl postgres | psql mail\n"
        "  smtpscope records --schema --table sessions\n",
    .declare = declare_records,
};

}  // namespace smtpscope
