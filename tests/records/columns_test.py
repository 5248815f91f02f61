#!/usr/bin/env python3
"""One list of columns: the schemas, the statements of each database, the documentation and the rows
of every transcript agree, and the rows say what -f jsonl says."""

import collections
import json
import re
import tempfile
import unittest
from pathlib import Path

from rows import ROOT, TABLES, ProgramTest, Capture, replayed_session, rows_of, run, schema, transcripts

try:
    import jsonschema
except ImportError:
    jsonschema = None

# What no transcript has.
NEVER_HERE = {("sessions", "client_port"), ("sessions", "announced_by"), ("sessions", "route")}


def ddl_columns(engine, table):
    """Names and types, in their order."""
    text = run("records", "--ddl", engine, "--table", table).out
    body = text[text.index("(\n") + 2:text.index("\n)")]
    return [line.split()[:2] for line in body.splitlines() if not line.strip().startswith("PRIMARY KEY")]


class Words(ProgramTest):
    def test_the_schema_is_one_and_is_the_file_of_the_documentation(self):
        printed = run("records", "--schema").out
        self.assertEqual(printed, (ROOT / "docs/records.schema.json").read_text(encoding="utf-8"))
        self.assertEqual(sorted(schema()["$defs"]), sorted(TABLES))
        for table in TABLES:
            one = schema(table)
            self.assertEqual(one.pop("$schema"), schema()["$schema"])
            self.assertEqual(one, schema()["$defs"][table])
            if jsonschema:
                jsonschema.Draft202012Validator.check_schema(one)

    def test_the_documentation_has_the_tables(self):
        page = (ROOT / "docs/records.md").read_text(encoding="utf-8")
        self.assertTrue(page.endswith(run("records", "--markdown").out))

    def test_every_database_has_every_column(self):
        for table in TABLES:
            names = list(schema(table)["properties"])
            for engine in ("clickhouse", "duckdb", "postgres"):
                with self.subTest(engine=engine, table=table):
                    self.assertEqual([name for name, _ in ddl_columns(engine, table)], names)

    def test_types_are_the_same_everywhere(self):
        integers = {"UInt64", "Int64", "BIGINT", "bigint", "Nullable(UInt64)", "Nullable(Int64)"}
        flags = {"Bool", "BOOLEAN", "boolean", "Nullable(Bool)"}
        for table in TABLES:
            properties = schema(table)["properties"]
            for engine in ("clickhouse", "duckdb", "postgres"):
                for name, kind in ddl_columns(engine, table):
                    declared = properties[name]["type"]
                    declared = declared[0] if isinstance(declared, list) else declared
                    with self.subTest(engine=engine, table=table, column=name):
                        self.assertEqual(kind.rstrip(",") in integers, declared == "integer")
                        self.assertEqual(kind.rstrip(",") in flags, declared == "boolean")

    def test_every_table_begins_with_what_names_a_row(self):
        for table in TABLES:
            self.assertEqual(list(schema(table)["properties"])[:5], ["run", "host", "tap", "session", "time"])

    def test_wrong_usage(self):
        self.assert_fails(run("records", "--ddl", "oracle"), "oracle")
        self.assert_fails(run("records", "--ddl", "duckdb", "--schema"), "--schema")
        self.assert_fails(run("show", "-f", "records", "x.smtpcap"), "name their folder with -o")


class Transcripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.captures = transcripts(cls.folder.name)
        cls.records = Path(cls.folder.name) / "rows"
        written = run("show", "-f", "records", "-o", cls.records, *cls.captures)
        assert (written.code, written.err) == (0, ""), written.err
        cls.rows = {table: rows_of(cls.records, table) for table in TABLES}
        cls.events = [json.loads(line) for line in run("show", "-f", "jsonl", *cls.captures).out.splitlines()]

    def of(self, kind):
        return [event for event in self.events if event["event"] == kind]

    def test_rows_are_what_the_schemas_say(self):
        if jsonschema is None:
            self.skipTest("there is no Python module jsonschema (Debian: python3-jsonschema)")
        for table in TABLES:
            validator = jsonschema.Draft202012Validator(schema(table))
            # One row of each shape: the validator takes its time.
            shapes = {tuple(map(type, row.values())): row for row in self.rows[table]}
            for row in shapes.values():
                for error in validator.iter_errors(row):
                    self.fail(f"{table}: {error.message}: {row}")

    def test_rows_are_flat_and_have_every_column_in_its_place(self):
        for table in TABLES:
            names = list(schema(table)["properties"])
            for row in self.rows[table]:
                self.assertEqual(list(row), names)
                self.assertFalse([v for v in row.values() if isinstance(v, (dict, list))])

    def test_every_column_says_something_somewhere(self):
        for table in TABLES:
            silent = [name for name in schema(table)["properties"]
                      if all(row[name] is None for row in self.rows[table])]
            self.assertEqual([name for name in silent if (table, name) not in NEVER_HERE], [], table)

    def test_keys_name_rows(self):
        keys = {"sessions": (), "exchanges": ("exchange", "reply"), "transactions": ("transaction",),
                "findings": ("finding",)}
        for table, more in keys.items():
            counted = collections.Counter(tuple(row[k] for k in ("run", "session", *more))
                                          for row in self.rows[table])
            self.assertEqual([key for key, count in counted.items() if count > 1], [], table)

    def test_times_and_runs(self):
        stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
        uuid7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
        for table in TABLES:
            for row in self.rows[table]:
                self.assertRegex(row["time"], stamp)
                self.assertRegex(row["run"], uuid7)
        self.assertEqual(len({row["run"] for row in self.rows["sessions"]}), len(self.captures))

    def test_each_session_is_a_row(self):
        def told(event):
            totals = event["totals"]
            lead = next((line for line in event["verdict"] if line["kind"] == "lead"), {})
            return (event["session"], totals["octets"]["client"], totals["octets"]["server"],
                    totals["transactions"], totals["annotations"], totals.get("worst"),
                    totals["ended_cleanly"], totals["ended_ns"] - totals["began_ns"],
                    totals["idle"]["server_ns"], sum(c["sent"] for c in totals["commands"].values()),
                    event.get("unfinished", False), lead.get("text"), lead.get("cause"))
        self.assertEqual(
            collections.Counter((r["session"], r["client_octets"], r["server_octets"], r["transactions"],
                                 r["findings"], r["worst"], r["ended_cleanly"], r["duration_ns"],
                                 r["idle_server_ns"], r["commands"], r["unfinished"], r["verdict"],
                                 r["cause"]) for r in self.rows["sessions"]),
            collections.Counter(map(told, self.of("session-ended"))))

    def test_each_transaction_is_a_row(self):
        def told(t):
            message = t.get("message", {})
            return (t["number"], t["outcome"], t.get("aborted_by"), t["rcpt_sent"], t["rcpt_refused"],
                    message.get("verb"), message.get("final_code"))
        self.assertEqual(
            collections.Counter((r["transaction"], r["outcome"], r["aborted_by"], r["recipients"],
                                 r["recipients_refused"], r["data_verb"], r["final_code"])
                                for r in self.rows["transactions"]),
            collections.Counter(map(told, self.of("transaction"))))

    def test_each_finding_is_a_row(self):
        rows = collections.Counter((r["rule"], r["severity"], r["text"]) for r in self.rows["findings"]
                                   if "\\x00" not in r["text"])
        told = collections.Counter((e["rule"], e["severity"], e["text"]) for e in self.of("annotation")
                                   if "\0" not in e["text"])
        self.assertEqual((rows - told, told - rows), (collections.Counter(), collections.Counter()))
        self.assertTrue(any(r["folded_under"] for r in self.rows["findings"]))
        standing = sum(r["folded_under"] is None for r in self.rows["findings"])
        self.assertEqual(standing, sum(r["findings"] for r in self.rows["sessions"]))

    def test_each_command_and_each_reply_is_in_a_row(self):
        entries = self.of("entry")
        rows = self.rows["exchanges"]
        replies = [e for e in entries if e["kind"] == "reply"]
        self.assertEqual(sum(r["reply_lines"] for r in rows if r["code"] is not None or r["reply_lines"] > 1),
                         sum(e["line_count"] for e in replies if e["code"] or e["line_count"] > 1))
        commands = [e for e in entries if e["kind"] == "command"]
        told = {(r["run"], r["session"], r["exchange"]) for r in rows if r["command"] is not None}
        self.assertEqual(len(told), len([e for e in commands if e["text"]]))
        self.assertEqual(sum(r["refused"] for r in rows), sum("refusal" in e for e in entries))
        self.assertEqual(collections.Counter(r["reason"] for r in rows if r["refused"]),
                         collections.Counter(e["refusal"]["reason"] for e in entries if "refusal" in e))

    def test_pseudonyms_join_and_names_are_gone(self):
        key = Path(self.folder.name) / "key"
        folder = Path(self.folder.name) / "redacted"
        written = run("show", "-f", "records", "-o", folder, "--records-redact", key, *self.captures)
        self.assertEqual(written.code, 0)
        self.assertIn("made the key", written.err)
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        for table in TABLES:
            plain, hidden = self.rows[table], rows_of(folder, table)
            self.assertEqual(len(plain), len(hidden))
            for name in schema(table)["properties"]:
                pairs = {(a[name], b[name]) for a, b in zip(plain, hidden)}
                if all(value is None for _, value in pairs):
                    continue  # free text
                if name in ("client_address", "hello", "mailbox_domain", "sender_domain", "recipient_domain",
                            "server_address", "upstream", "listener"):
                    pairs = {(a and a.lower(), b) for a, b in pairs}
                if name in ("mailbox", "sender", "first_recipient"):  # of these the domain only
                    pairs = {(a and a[:a.rfind("@")] + a[a.rfind("@"):].lower(), b) for a, b in pairs}
                with self.subTest(table=table, column=name):
                    self.assertEqual(len({b for _, b in pairs}), len({a for a, _ in pairs}))
        text = "".join(file.read_text(encoding="utf-8") for file in folder.iterdir())
        for name in ("@example", "192.0.2.", "example.net", "example.com"):
            self.assertNotIn(name, text)
        domains = {r["sender"].partition("@")[2] for r in rows_of(folder, "transactions") if "@" in r["sender"]}
        self.assertEqual(domains, {r["sender_domain"] for r in rows_of(folder, "transactions")
                                   if r["sender_domain"]})


class Selection(ProgramTest):
    def test_only_what_a_filter_keeps(self):
        capture = Capture()
        for number in range(1, 4):
            replayed_session(capture, number, ms=number * 20_000)
        file = self.file("a.smtpcap", capture)
        run("show", "-f", "records", "-o", self.folder / "all", file)
        run("show", "-f", "records", "-o", self.folder / "one", "--filter", "client:192.0.2.2", file)
        for table in TABLES:
            self.assertEqual(rows_of(self.folder / "one", table),
                             [row for row in rows_of(self.folder / "all", table) if row["session"] == 2])

    def test_octets_that_no_database_takes_are_escaped(self):
        capture = Capture()
        capture.open(0, 1)
        capture.server(1, 1, "220 mx\r\n")
        capture.client(2, 1, "NOOP a\0b\r\n")
        capture.server(3, 1, "250 ok\r\n")
        capture.end(4, 1)
        run("show", "-f", "records", "-o", self.folder / "r", self.file("a.smtpcap", capture))
        commands = [row["command"] for row in rows_of(self.folder / "r", "exchanges")]
        self.assertIn("NOOP a\\x00b", commands)

    def test_the_host_can_be_named_and_the_run_stays_the_same(self):
        capture = Capture()
        replayed_session(capture, 1)
        file = self.file("a.smtpcap", capture)
        for folder in ("1", "2"):
            run("show", "-f", "records", "-o", self.folder / folder, "--records-host", "mx1", file)
        first, again = (rows_of(self.folder / folder, "sessions") for folder in ("1", "2"))
        self.assertEqual(first[0]["host"], "mx1")
        self.assertEqual(first, again)


if __name__ == "__main__":
    unittest.main()
