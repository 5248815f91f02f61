// Runs SQL statements in an embedded database.
//
// usage: node engine.cjs NODE_MODULES duckdb|clickhouse <{"run": [statements], "ask": [statements]}
// Prints the rows of each statement that asks, as JSON: a list of lists of lists.

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");

const [modules, engine] = process.argv.slice(2);
const load = createRequire(`${modules}/`);
const work = JSON.parse(readFileSync(0, "utf8"));

async function duckdb() {
  const { DuckDBInstance } = load("@duckdb/node-api");
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  for (const statement of work.run) await connection.run(statement);
  const answers = [];
  for (const statement of work.ask) {
    answers.push(await (await connection.runAndReadAll(statement)).getRowsJson());
  }
  return answers;
}

async function clickhouse() {
  const { Session } = load("chdb");
  const session = new Session();
  try {
    session.query("CREATE DATABASE IF NOT EXISTS smtpscope ENGINE = Atomic");
    session.query("USE smtpscope");
    for (const statement of work.run) session.query(statement);
    return work.ask.map((statement) => session.query(statement, "JSONCompactEachRow").trim().split("\n")
      .filter((line) => line).map((line) => JSON.parse(line)));
  } finally {
    session.cleanup();
  }
}

(engine === "duckdb" ? duckdb() : clickhouse()).then(
  (answers) => process.stdout.write(JSON.stringify(answers)),
  (fault) => { console.error(String(fault)); process.exitCode = 1; });
