// Runs SQL statements in an embedded database.
//
// usage: node engine.cjs NODE_MODULES duckdb|clickhouse <{"run": [statements], "ask": [statements]}
// Prints as JSON the rows of each statement that asks ("answers": a list of lists of lists), and how many
// seconds took what was to be run ("run_s") and each that asks ("ask_s"), and of the processors' time ("ask_cpu_s"). DuckDB keeps its tables in memory,
// or in the file that "database" names.

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");

const [modules, engine] = process.argv.slice(2);
const load = createRequire(`${modules}/`);
const work = JSON.parse(readFileSync(0, "utf8"));

const told = { answers: [], ask_s: [], ask_cpu_s: [] };

async function timed(what) {
  const began = performance.now();
  const result = await what();
  return [result, (performance.now() - began) / 1000];
}

/// `run` and `ask` take a statement each.
async function work_with(run, ask) {
  [, told.run_s] = await timed(async () => { for (const statement of work.run) await run(statement); });
  for (const statement of work.ask) {
    const before = process.cpuUsage();
    const [rows, seconds] = await timed(() => ask(statement));
    const { user, system } = process.cpuUsage(before);
    told.ask_cpu_s.push((user + system) / 1e6);
    told.answers.push(rows);
    told.ask_s.push(seconds);
  }
}

async function duckdb() {
  const { DuckDBInstance } = load("@duckdb/node-api");
  const connection = await (await DuckDBInstance.create(work.database ?? ":memory:")).connect();
  await work_with((statement) => connection.run(statement),
    async (statement) => (await connection.runAndReadAll(statement)).getRowsJson());
}

async function clickhouse() {
  const { Session } = load("chdb");
  const session = new Session();
  try {
    session.query("CREATE DATABASE IF NOT EXISTS smtpscope ENGINE = Atomic");
    session.query("USE smtpscope");
    await work_with((statement) => session.query(statement),
      (statement) => session.query(statement, "JSONCompactEachRow").trim().split("\n")
        .filter((line) => line).map((line) => JSON.parse(line)));
  } finally {
    session.cleanup();
  }
}

(engine === "duckdb" ? duckdb() : clickhouse()).then(
  () => process.stdout.write(JSON.stringify(told)),
  (fault) => { console.error(String(fault)); process.exitCode = 1; });
